//! The attributes that Query tells.

use crate::{Configuration, Content, EnvelopeKey, HostKey, NvmImage, ProductData, Status};

/// The response payload of Query `tag`.
pub(crate) fn attribute(
    tag: u8,
    nvm: &NvmImage,
    configuration: &Configuration,
) -> Result<Vec<u8>, Status> {
    match tag {
        0x07 => Ok(envelope_key_table(nvm)),
        0x08 => Ok(vec![nvm.life_cycle.code()]),
        // Second byte: bit 0 locks the parameters.
        0x0A => Ok(vec![
            configuration.address << 1,
            configuration.low_power_mode << 1 & 0x06 | 0x01,
        ]),
        0x11 => Ok(product_data(&configuration.product)),
        0x12 => Ok(data_partition(nvm)),
        0x17 => Ok(host_key_slot(nvm.host_key)),
        _ => Err(configuration.unverified.unknown_attribute),
    }
}

/// Number of slots, then per slot: number, presence, and key type of a present one.
fn envelope_key_table(nvm: &NvmImage) -> Vec<u8> {
    let mut table = vec![2];
    for (slot, key) in (0..).zip(nvm.envelope_keys) {
        table.push(slot);
        match key {
            EnvelopeKey::Absent => table.push(0),
            EnvelopeKey::Aes128 => table.extend([1, 0]),
            EnvelopeKey::Aes256 => table.extend([1, 1]),
        }
    }
    table
}

/// Presence, then the C-MAC counter of a present key.
fn host_key_slot(key: HostKey) -> Vec<u8> {
    match key {
        HostKey::Absent => vec![0],
        HostKey::Present { counter } => {
            let [_, counter @ ..] = counter.to_be_bytes();
            [&[1], counter.as_slice()].concat()
        }
    }
}

/// TLVs of one byte tag and one byte length.
fn product_data(product: &ProductData) -> Vec<u8> {
    let fields: [(u8, &[u8]); 8] = [
        (0x01, &product.mask),
        (0x02, &product.st_number),
        (0x03, &product.io_buffer.to_be_bytes()),
        (0x04, &product.atomicity_buffer.to_be_bytes()),
        (0x05, &product.nvm_size.to_be_bytes()),
        (0x06, &product.test_date.to_be_bytes()),
        (0x07, &[product.version]),
        (0x08, &product.module_date.to_be_bytes()),
    ];
    let mut data = Vec::new();
    for (tag, value) in fields {
        // No value is longer than the nine bytes of the ST number.
        data.extend([tag, value.len() as u8]);
        data.extend_from_slice(value);
    }
    data
}

/// Number of zones, then per zone: index, type, access conditions, length, counter of a
/// counter zone.
fn data_partition(nvm: &NvmImage) -> Vec<u8> {
    let zones = nvm.zones();
    // Zone indices are bytes, and the I/O buffer bounds their number further.
    let mut partition = vec![u8::try_from(zones.len()).unwrap_or(u8::MAX)];
    for (index, zone) in zones {
        let kind = match zone.content {
            Content::Data => 0,
            Content::Counter(_) => 1,
        };
        let access = zone.read.nibble() << 4 | zone.update.nibble();
        partition.extend([index, kind, access]);
        partition.extend(zone.size().to_be_bytes());
        if let Content::Counter(value) = zone.content {
            partition.extend(value.to_be_bytes());
        }
    }
    partition
}
