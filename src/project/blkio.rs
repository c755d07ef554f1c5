//! `blkio_config`: shares of block devices.

/// Shares of block devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blkio {
    /// Weight among containers, 10 to 1000.
    pub weight: Option<u16>,
    /// Weights on single devices.
    pub weight_device: Vec<DeviceWeight>,
    /// Bytes read each second.
    pub read_bps: Vec<DeviceRate>,
    /// Reads each second.
    pub read_iops: Vec<DeviceRate>,
    /// Bytes written each second.
    pub write_bps: Vec<DeviceRate>,
    /// Writes each second.
    pub write_iops: Vec<DeviceRate>,
}

impl Blkio {
    /// Returns the four lists of rates with their keys.
    #[must_use]
    pub fn rates(&self) -> [(&'static str, &[DeviceRate]); 4] {
        [
            ("device_read_bps", &self.read_bps),
            ("device_read_iops", &self.read_iops),
            ("device_write_bps", &self.write_bps),
            ("device_write_iops", &self.write_iops),
        ]
    }
}

/// The weight of a container on one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceWeight {
    /// The host's path.
    pub path: String,
    /// Weight among containers, 10 to 1000.
    pub weight: u16,
}

/// An upper bound on one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRate {
    /// The host's path.
    pub path: String,
    /// Bytes, or operations, each second.
    pub rate: u64,
}
