//! Another codec reads what ours writes, and writes what ours reads: rumqttc's.

use bytes::BytesMut;
use proptest::prelude::*;
use rumqttc::mqttbytes::v4;

use super::{
    CleanSession, Connect, ConnectReturnCode, Delivery, Duplicate, Packet, PacketReader, Publish,
    QoS, Retain, Subscription, Will,
};

/// Longer than any packet here.
const LARGEST: usize = 1 << 20;

pub(super) fn qos() -> impl Strategy<Value = QoS> {
    prop::sample::select(vec![QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce])
}

/// A text without wildcards.
fn text() -> impl Strategy<Value = String> {
    "[^\0+#]{1,40}"
}

fn filter() -> impl Strategy<Value = String> {
    prop_oneof![text(), "(\\+/){0,2}[a-z$]{1,9}(/\\+){0,2}(/#)?"]
}

fn retain() -> impl Strategy<Value = Retain> {
    prop::sample::select(vec![Retain::Yes, Retain::No])
}

pub(super) fn delivery() -> impl Strategy<Value = Delivery> {
    let duplicate = prop::sample::select(vec![Duplicate::Yes, Duplicate::No]);
    (qos(), 1u16.., duplicate).prop_map(|(qos, packet_id, duplicate)| match qos {
        QoS::AtMostOnce => Delivery::AtMostOnce,
        QoS::AtLeastOnce => Delivery::AtLeastOnce {
            packet_id,
            duplicate,
        },
        QoS::ExactlyOnce => Delivery::ExactlyOnce {
            packet_id,
            duplicate,
        },
    })
}

fn connect() -> impl Strategy<Value = Packet> {
    let session = prop::sample::select(vec![CleanSession::Yes, CleanSession::No]);
    let will = (text(), any::<Vec<u8>>(), qos(), retain());
    let will = will.prop_map(|(topic, payload, qos, retain)| Will {
        topic,
        payload,
        qos,
        retain,
    });
    // The other codec knows passwords that are texts, after user names.
    let login = prop::option::of((text(), prop::option::of(text())));
    (text(), session, any::<u16>(), prop::option::of(will), login).prop_map(
        |(client_id, session, keep_alive, will, login)| {
            let (user_name, password) = login.unzip();
            Packet::Connect(Connect {
                client_id,
                session,
                keep_alive,
                will,
                user_name,
                password: password.flatten().map(String::into_bytes),
            })
        },
    )
}

fn packet() -> impl Strategy<Value = Packet> {
    let return_code = (0u8..6).prop_filter_map("a code", ConnectReturnCode::from_code);
    let publish = (text(), any::<Vec<u8>>(), delivery(), retain());
    let publish = publish.prop_map(|(topic, payload, delivery, retain)| {
        Packet::Publish(Publish {
            topic,
            payload,
            delivery,
            retain,
        })
    });
    let subscription = (filter(), qos()).prop_map(|(filter, qos)| Subscription { filter, qos });
    let subscriptions = prop::collection::vec(subscription, 1..5);
    let granted = prop::collection::vec(prop::option::of(qos()), 1..5);
    let filters = prop::collection::vec(filter(), 1..5);
    prop_oneof![
        connect(),
        return_code.prop_map(Packet::Connack),
        publish,
        (1u16..).prop_map(|packet_id| Packet::Puback { packet_id }),
        (1u16.., subscriptions).prop_map(|(packet_id, subscriptions)| Packet::Subscribe {
            packet_id,
            subscriptions
        }),
        (1u16.., granted).prop_map(|(packet_id, granted)| Packet::Suback { packet_id, granted }),
        (1u16.., filters)
            .prop_map(|(packet_id, filters)| Packet::Unsubscribe { packet_id, filters }),
        (1u16..).prop_map(|packet_id| Packet::Unsuback { packet_id }),
        Just(Packet::Pingreq),
        Just(Packet::Pingresp),
        Just(Packet::Disconnect),
    ]
}

proptest! {
    /// Every field goes through the other codec's values and comes back.
    #[test]
    fn both_codecs_mean_the_same(packet in packet()) {
        let ours = packet.encode();
        let mut bytes = BytesMut::from(ours.as_slice());
        let read = v4::Packet::read(&mut bytes, LARGEST).unwrap();
        prop_assert!(bytes.is_empty());
        let mut theirs = BytesMut::new();
        read.write(&mut theirs, LARGEST).unwrap();
        let mut reader = PacketReader::default();
        reader.push(&theirs);
        prop_assert_eq!(reader.next(), Ok(Some(packet)));
        prop_assert_eq!(theirs.as_ref(), ours.as_slice());
    }
}
