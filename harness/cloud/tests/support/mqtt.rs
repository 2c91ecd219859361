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
