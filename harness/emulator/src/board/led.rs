//! The LEDs, all active high.

use super::{Pin, Port};

/// An LED.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Led {
    /// Wi-Fi, on PB2.
    Wifi,
    /// Azure, on PA15.
    Azure,
    /// User, on PC13.
    User,
    /// Red of the RGB LED, on PB4 (TIM3 channel 1).
    Red,
    /// Green of the RGB LED, on PB3 (TIM2 channel 2).
    Green,
    /// Blue of the RGB LED, on PC7 (TIM3 channel 2).
    Blue,
}

impl Led {
    /// All LEDs.
    pub const ALL: [Self; 6] = [
        Self::Wifi,
        Self::Azure,
        Self::User,
        Self::Red,
        Self::Green,
        Self::Blue,
    ];

    /// Its name in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wifi => "wifi",
            Self::Azure => "azure",
            Self::User => "user",
            Self::Red => "red",
            Self::Green => "green",
            Self::Blue => "blue",
        }
    }

    /// Its pin.
    pub const fn pin(self) -> Pin {
        match self {
            Self::Wifi => Pin::new(Port::B, 2),
            Self::Azure => Pin::new(Port::A, 15),
            Self::User => Pin::new(Port::C, 13),
            Self::Red => Pin::new(Port::B, 4),
            Self::Green => Pin::new(Port::B, 3),
            Self::Blue => Pin::new(Port::C, 7),
        }
    }

    /// The timer (its number), channel and alternate function that can dim it.
    pub const fn dimmer(self) -> Option<(usize, usize, u8)> {
        match self {
            Self::Red => Some((3, 1, 2)),
            Self::Green => Some((2, 2, 1)),
            Self::Blue => Some((3, 2, 2)),
            Self::Wifi | Self::Azure | Self::User => None,
        }
    }
}

/// How bright each LED of [`Led::ALL`] is: 0 is dark, 255 is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leds([u8; 6]);

impl Leds {
    /// The brightness of each LED as `of` says.
    pub fn measure(of: impl Fn(Led) -> u8) -> Self {
        Self(Led::ALL.map(of))
    }

    /// The brightness of one LED.
    pub fn brightness(&self, led: Led) -> u8 {
        self.0[led as usize]
    }

    /// The LEDs that are on in one of `self` and `new` only, with their new state.
    pub fn switched(self, new: Self) -> impl Iterator<Item = (Led, bool)> {
        Led::ALL.into_iter().filter_map(move |led| {
            let on = new.brightness(led) > 0;
            (on != (self.brightness(led) > 0)).then_some((led, on))
        })
    }
}
