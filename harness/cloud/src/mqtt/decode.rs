//! One control packet from its bytes.

use super::{
    CleanSession, Connect, ConnectReturnCode, DecodeError, Delivery, Duplicate, Packet, Publish,
    QoS, Retain, Subscription, Will,
};

/// Checks the type and flags of the first byte (sections 2.2.1 and 2.2.2).
pub(super) fn first_byte(first: u8) -> Result<(), DecodeError> {
    let (kind, flags) = (first >> 4, first & 0x0f);
    let fixed = match kind {
        // PUBREC, PUBREL and PUBCOMP: neither side of a hub ever uses QoS 2.
        0 | 5..=7 | 15 => return Err(DecodeError::ReservedType(kind)),
        PUBLISH => flags,
        8 | 10 => 0b0010,
        _ => 0,
    };
    match flags == fixed {
        true => Ok(()),
        false => Err(DecodeError::Flags),
    }
}

const PUBLISH: u8 = 3;

/// The packet with the first byte `first` and the variable header and payload `body`.
pub(super) fn packet(first: u8, body: &[u8]) -> Result<Packet, DecodeError> {
    first_byte(first)?;
    let (kind, flags) = (first >> 4, first & 0x0f);
    let mut fields = Fields(body);
    let packet = match kind {
        1 => Packet::Connect(connect(&mut fields)?),
        2 => connack(&mut fields)?,
        PUBLISH => Packet::Publish(publish(flags, &mut fields)?),
        4 => Packet::Puback {
            packet_id: fields.packet_id()?,
        },
        8 => subscribe(&mut fields)?,
        9 => suback(&mut fields)?,
        10 => unsubscribe(&mut fields)?,
        11 => Packet::Unsuback {
            packet_id: fields.packet_id()?,
        },
        12 => Packet::Pingreq,
        13 => Packet::Pingresp,
        14 => Packet::Disconnect,
        _ => return Err(DecodeError::ReservedType(kind)),
    };
    match fields.0 {
        [] => Ok(packet),
        _ => Err(DecodeError::Long),
    }
}

fn connect(fields: &mut Fields<'_>) -> Result<Connect, DecodeError> {
    if fields.text("protocol name")? != "MQTT" || fields.byte("protocol level")? != 4 {
        return Err(DecodeError::Protocol);
    }
    let flags = fields.byte("connect flags")?;
    let bit = |number: u8| flags >> number & 1 == 1;
    let will_bits = flags >> 2 & 0b1111;
    // Bit 0 is reserved; without a will its bits are 0; a password needs a user name (3.1.2).
    if bit(0) || (!bit(2) && will_bits != 0) || (bit(6) && !bit(7)) {
        return Err(DecodeError::Value("connect flags"));
    }
    let keep_alive = fields.number("keep alive")?;
    let client_id = fields.text("client id")?;
    let will = if bit(2) {
        Some(Will {
            topic: fields.text("will topic")?,
            payload: fields.bytes("will message")?.to_vec(),
            qos: QoS::from_level(flags >> 3 & 0b11).ok_or(DecodeError::Value("will QoS"))?,
            retain: if bit(5) { Retain::Yes } else { Retain::No },
        })
    } else {
        None
    };
    let user_name = match bit(7) {
        true => Some(fields.text("user name")?),
        false => None,
    };
    let password = match bit(6) {
        true => Some(fields.bytes("password")?.to_vec()),
        false => None,
    };
    Ok(Connect {
        client_id,
        session: match bit(1) {
            true => CleanSession::Yes,
            false => CleanSession::No,
        },
        keep_alive,
        will,
        user_name,
        password,
    })
}

fn connack(fields: &mut Fields<'_>) -> Result<Packet, DecodeError> {
    if fields.byte("connect acknowledge flags")? != 0 {
        return Err(DecodeError::Value("connect acknowledge flags"));
    }
    let code = fields.byte("return code")?;
    ConnectReturnCode::from_code(code)
        .map(Packet::Connack)
        .ok_or(DecodeError::Value("return code"))
}

fn publish(flags: u8, fields: &mut Fields<'_>) -> Result<Publish, DecodeError> {
    let topic = fields.text("topic name")?;
    if topic.is_empty() || topic.contains(['+', '#']) {
        return Err(DecodeError::Value("topic name"));
    }
    let duplicate = match flags >> 3 & 1 {
        1 => Duplicate::Yes,
        _ => Duplicate::No,
    };
    let delivery = match (flags >> 1 & 0b11, duplicate) {
        (0, Duplicate::No) => Delivery::AtMostOnce,
        (1, duplicate) => Delivery::AtLeastOnce {
            packet_id: fields.packet_id()?,
            duplicate,
        },
        (2, duplicate) => Delivery::ExactlyOnce {
            packet_id: fields.packet_id()?,
            duplicate,
        },
        _ => return Err(DecodeError::Flags),
    };
    Ok(Publish {
        topic,
        payload: fields.rest().to_vec(),
        delivery,
        retain: match flags & 1 {
            1 => Retain::Yes,
            _ => Retain::No,
        },
    })
}

fn subscribe(fields: &mut Fields<'_>) -> Result<Packet, DecodeError> {
    let packet_id = fields.packet_id()?;
    let mut subscriptions = Vec::new();
    while !fields.0.is_empty() {
        subscriptions.push(Subscription {
            filter: filter(fields)?,
            qos: QoS::from_level(fields.byte("requested QoS")?)
                .ok_or(DecodeError::Value("requested QoS"))?,
        });
    }
    match subscriptions.is_empty() {
        true => Err(DecodeError::Short("topic filters")),
        false => Ok(Packet::Subscribe {
            packet_id,
            subscriptions,
        }),
    }
}

fn suback(fields: &mut Fields<'_>) -> Result<Packet, DecodeError> {
    const FAILURE: u8 = 0x80;
    let packet_id = fields.packet_id()?;
    let granted = fields
        .rest()
        .iter()
        .map(|code| match *code {
            FAILURE => Ok(None),
            level => QoS::from_level(level)
                .map(Some)
                .ok_or(DecodeError::Value("return code")),
        })
        .collect::<Result<_, _>>()?;
    Ok(Packet::Suback { packet_id, granted })
}

fn unsubscribe(fields: &mut Fields<'_>) -> Result<Packet, DecodeError> {
    let packet_id = fields.packet_id()?;
    let mut filters = Vec::new();
    while !fields.0.is_empty() {
        filters.push(filter(fields)?);
    }
    match filters.is_empty() {
        true => Err(DecodeError::Short("topic filters")),
        false => Ok(Packet::Unsubscribe { packet_id, filters }),
    }
}

/// A topic filter: wildcards stand alone in their level, `#` in the last one (section 4.7.1).
fn filter(fields: &mut Fields<'_>) -> Result<String, DecodeError> {
    let filter = fields.text("topic filter")?;
    let mut levels = filter.split('/').rev();
    let last = levels.next().unwrap_or_default();
    let fits = |level: &str| level == "+" || !level.contains(['+', '#']);
    if filter.is_empty() || !(last == "#" || fits(last)) || !levels.all(fits) {
        return Err(DecodeError::Value("topic filter"));
    }
    Ok(filter)
}

/// What is left of a packet.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(DecodeError::Short(what))?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        self.take(1, what).map(|bytes| bytes[0])
    }

    fn number(&mut self, what: &'static str) -> Result<u16, DecodeError> {
        self.take(2, what)
            .map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn packet_id(&mut self) -> Result<u16, DecodeError> {
        match self.number("packet identifier")? {
            0 => Err(DecodeError::Value("packet identifier")),
            packet_id => Ok(packet_id),
        }
    }

    fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let length = self.number(what)?;
        self.take(length.into(), what)
    }

    fn text(&mut self, what: &'static str) -> Result<String, DecodeError> {
        let text = core::str::from_utf8(self.bytes(what)?);
        match text {
            Ok(text) if !text.contains('\0') => Ok(text.to_owned()),
            _ => Err(DecodeError::NotText(what)),
        }
    }

    fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.0)
    }
}
