//! The devices of a service in the engine's terms.

use crate::project::{Device, DeviceRequest, Service};

/// Returns the devices that are given by their paths.
pub(super) fn by_path(service: &Service) -> Vec<Device> {
    service.devices.iter().filter(|device| !device.is_cdi()).cloned().collect()
}

/// Returns the requests that drivers of the engine answer: `gpus` asks for the capability of that name, and a
/// CDI name among the devices is a request to its own driver, as in Docker Compose.
pub(super) fn requests(service: &Service) -> Vec<DeviceRequest> {
    let named = service.devices.iter().filter(|device| device.is_cdi());
    let named: Vec<String> = named.map(|device| device.source.clone()).collect();
    let cdi = (!named.is_empty()).then(|| DeviceRequest {
        driver: Some("cdi".to_owned()),
        ids: named,
        ..DeviceRequest::default()
    });
    let gpus = service.hardware.gpus.iter().cloned().map(|mut request| {
        request.capabilities.push("gpu".to_owned());
        request
    });
    service.hardware.reserved.iter().cloned().chain(cdi).chain(gpus).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::device::parse;

    #[test]
    fn a_cdi_device_is_a_request_and_no_path() {
        let mut service = Service::plain("web", "x");
        service.devices = ["/dev/fuse", "vendor.com/gpu=all"].map(|text| parse(text).unwrap()).to_vec();
        assert_eq!(by_path(&service), [parse("/dev/fuse").unwrap()]);
        let [request] = requests(&service).try_into().unwrap();
        assert_eq!((request.driver.as_deref(), request.count), (Some("cdi"), None));
        assert_eq!(request.ids, ["vendor.com/gpu=all"]);
    }

    #[test]
    fn gpus_ask_for_the_capability_of_that_name() {
        let mut service = Service::plain("web", "x");
        let request = |capabilities: &[&str]| DeviceRequest {
            count: Some(-1),
            capabilities: capabilities.iter().map(ToString::to_string).collect(),
            ..DeviceRequest::default()
        };
        service.hardware.gpus = vec![request(&["video"])];
        service.hardware.reserved = vec![request(&["tpu"])];
        assert_eq!(requests(&service), [request(&["tpu"]), request(&["video", "gpu"])]);
    }
}
