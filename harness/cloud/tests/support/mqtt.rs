//! Hand-written MQTT packets.

pub fn text(out: &mut Vec<u8>, text: &str) {
    out.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
    out.extend(text.as_bytes());
}

pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut left = body.len();
    while left > 0x7f {
        packet.push(u8::try_from(left & 0x7f).unwrap() | 0x80);
        left >>= 7;
    }
    packet.push(left.try_into().unwrap());
    packet.extend(body);
    packet
}

pub fn connect(client_id: &str, user_name: &str, keep_alive: u16) -> Vec<u8> {
    let mut body = b"\0\x04MQTT\x04\x82".to_vec();
    body.extend(keep_alive.to_be_bytes());
    text(&mut body, client_id);
    text(&mut body, user_name);
    packet(0x10, &body)
}

pub fn publish(topic: &str, body: &str, packet_id: Option<u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    text(&mut bytes, topic);
    bytes.extend(packet_id.into_iter().flat_map(|id| [0, id]));
    bytes.extend(body.as_bytes());
    packet(if packet_id.is_some() { 0x32 } else { 0x30 }, &bytes)
}

pub fn subscribe(filter: &str, qos: u8) -> Vec<u8> {
    let mut body = vec![0, 9];
    text(&mut body, filter);
    body.push(qos);
    packet(0x82, &body)
}

/// A CONNECT with a password.
pub fn connect_with_password(client_id: &str, user_name: &str, password: &str) -> Vec<u8> {
    let mut body = b"\0\x04MQTT\x04\xc2\0\0".to_vec();
    text(&mut body, client_id);
    text(&mut body, user_name);
    text(&mut body, password);
    packet(0x10, &body)
}

/// The topic and payload of the only packet, a PUBLISH with QoS 0.
pub fn read_publish(bytes: &[u8]) -> (String, Vec<u8>) {
    let (first, rest) = bytes.split_first().expect("a packet");
    assert_eq!(*first, 0x30, "a PUBLISH");
    let length_bytes = rest.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
    let body = &rest[length_bytes..];
    assert_eq!(packet(0x30, body), bytes, "one whole packet");
    let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
    let topic = String::from_utf8(body[2..2 + length].to_vec()).unwrap();
    (topic, body[2 + length..].to_vec())
}
