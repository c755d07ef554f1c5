"""A small shop: `serve` its pages (shop.service), `restock` (restock.timer), `count` the stock (cron)."""

import os
import socket
import sys
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import psycopg2

SCHEMA = """
    CREATE TABLE IF NOT EXISTS product (name text PRIMARY KEY, cents int NOT NULL, stock int NOT NULL);
    CREATE TABLE IF NOT EXISTS journal (at timestamptz DEFAULT now(), who text, what text);
    INSERT INTO product VALUES ('apples', 50, 12), ('bread', 320, 4), ('cheese', 790, 2) ON CONFLICT DO NOTHING;
"""
BUY = "UPDATE product SET stock = stock - 1 WHERE name = %s AND stock > 0 RETURNING name"
RESTOCK = "UPDATE product SET stock = stock + 1 WHERE name = (SELECT name FROM product ORDER BY stock LIMIT 1) RETURNING name"
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{name}</title></head><body>
<h1>{name}</h1>
<table>
<tr><th>product</th><th>price</th><th>in stock</th></tr>
{products}
</table>
<form method="post" action="/buy">Buy <input name="product" value="apples"> <button>Buy</button></form>
<h2>What happened</h2>
<ul>
{journal}
</ul>
<p>Served by {host}, from the database on db.</p>
</body></html>
"""


def query(sql, *values):
    """Runs one statement in a transaction of its own; the connection is as short-lived."""
    with psycopg2.connect("host=db dbname=shop user=shop connect_timeout=5") as db, db.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def note(who, what):
    """Writes a line of the journal."""
    query("INSERT INTO journal (who, what) VALUES (%s, %s)", who, what)


def page():
    """The shop as the database has it now."""
    products = query("SELECT name, cents, stock FROM product ORDER BY name")
    journal = query("SELECT to_char(at, 'HH24:MI:SS'), who, what FROM journal ORDER BY at DESC LIMIT 8")
    return PAGE.format(
        name=escape(os.environ.get("SHOP_NAME", "A shop")),
        products="\n".join(f"<tr><td>{escape(n)}</td><td>{c / 100:.2f}</td><td>{s}</td></tr>" for n, c, s in products),
        journal="\n".join(f"<li>{at} {escape(who)}: {escape(what)}</li>" for at, who, what in journal),
        host=socket.gethostname(),
    )


class Shop(BaseHTTPRequestHandler):
    """`GET /` is the page, `POST /buy` takes one product off its shelf."""

    def do_GET(self):
        self.send_error(404) if self.path != "/" else self.answer(200, page())

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
        product = form.get("product", [""])[0]
        if self.path != "/buy" or not query(BUY, product):
            return self.send_error(404, "No such product in stock")
        note("customer", f"bought {product}")
        self.answer(303, "", Location="/")

    def answer(self, status, body, **headers):
        """Sends one whole answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())


def serve():
    """Opens the shop, then tells systemd that it is open."""
    query(SCHEMA)
    server = ThreadingHTTPServer(("", 8000), Shop)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))
    server.serve_forever()


def restock():
    """Puts one more on the emptiest shelf."""
    note("timer", f"one more of {query(RESTOCK)[0][0]}")


def count():
    """Notes how much there is of everything."""
    note("cron", f"{query('SELECT sum(stock) FROM product')[0][0]} things in stock")


if __name__ == "__main__":
    {"serve": serve, "restock": restock, "count": count}[sys.argv[1]]()
