//! Open devices.

use core::marker::PhantomData;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::descriptors::{ConfigurationDescriptor, InterfaceDescriptor};
use crate::error::{ActiveConfigurationError, Error, ErrorKind};
use crate::maybe_future::{MaybeFuture, Ready};
use crate::software::Plugged;
use crate::transfer::{
    Buffer, BulkOrInterrupt, Completion, ControlIn, ControlOut, Direction, EndpointDirection,
    TransferError,
};

const GONE: Error = Error::new(ErrorKind::Disconnected, "device disconnected");
const NO_CONTROL: TransferError = TransferError::InvalidArgument;

/// An open device.
#[derive(Clone, Debug)]
pub struct Device(Plugged);

impl Device {
    pub(crate) fn new(device: Plugged) -> Self {
        Self(device)
    }

    /// Its configurations: one.
    pub fn configurations(&self) -> impl Iterator<Item = ConfigurationDescriptor<'_>> {
        core::iter::once(ConfigurationDescriptor(&self.0.spec.interfaces))
    }

    /// The configuration in force.
    ///
    /// # Errors
    /// None here.
    pub fn active_configuration(
        &self,
    ) -> Result<ConfigurationDescriptor<'_>, ActiveConfigurationError> {
        Ok(ConfigurationDescriptor(&self.0.spec.interfaces))
    }

    /// Puts a configuration into force.
    pub fn set_configuration(
        &self,
        _configuration: u8,
    ) -> impl MaybeFuture<Output = Result<(), Error>> + use<> {
        Ready(Ok(()))
    }

    /// Resets the device.
    pub fn reset(&self) -> impl MaybeFuture<Output = Result<(), Error>> + use<> {
        Ready(self.0.with(|state| {
            state.function.reset();
            if state.plugged { Ok(()) } else { Err(GONE) }
        }))
    }

    /// Claims an interface; one driver at a time can have it.
    pub fn claim_interface(
        &self,
        number: u8,
    ) -> impl MaybeFuture<Output = Result<Interface, Error>> + use<> {
        let known = (self.0.spec.interfaces.iter()).any(|interface| interface.number == number);
        Ready(
            self.0
                .with(|state| match (known, state.plugged, state.claimed) {
                    (_, false, _) => Err(GONE),
                    (false, ..) => Err(Error::new(ErrorKind::NotFound, "no such interface")),
                    (.., true) => Err(Error::new(ErrorKind::Busy, "interface is busy")),
                    (true, true, false) => {
                        state.claimed = true;
                        let claim = Arc::new(Claim(self.0.clone()));
                        Ok(Interface { number, claim })
                    }
                }),
        )
    }

    /// Claims an interface; there is no kernel driver to detach.
    pub fn detach_and_claim_interface(
        &self,
        number: u8,
    ) -> impl MaybeFuture<Output = Result<Interface, Error>> + use<> {
        self.claim_interface(number)
    }
}

/// Gives the interface back when nobody has it any more.
#[derive(Debug)]
struct Claim(Plugged);

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.with(|state| state.claimed = false);
    }
}

/// A claimed interface.
#[derive(Clone, Debug)]
pub struct Interface {
    number: u8,
    claim: Arc<Claim>,
}

impl Interface {
    /// Its number.
    pub fn interface_number(&self) -> u8 {
        self.number
    }

    /// What it says of itself.
    pub fn descriptor(&self) -> Option<InterfaceDescriptor<'_>> {
        let mut interfaces = self.claim.0.spec.interfaces.iter();
        interfaces
            .find(|interface| interface.number == self.number)
            .map(InterfaceDescriptor)
    }

    /// Chooses a setting.
    pub fn set_alt_setting(
        &self,
        _setting: u8,
    ) -> impl MaybeFuture<Output = Result<(), Error>> + use<> {
        Ready(Ok(()))
    }

    /// Control requests have no place here.
    pub fn control_out(
        &self,
        _request: ControlOut<'_>,
        _timeout: Duration,
    ) -> impl MaybeFuture<Output = Result<(), TransferError>> + use<> {
        Ready(Err(NO_CONTROL))
    }

    /// Control requests have no place here.
    pub fn control_in(
        &self,
        _request: ControlIn,
        _timeout: Duration,
    ) -> impl MaybeFuture<Output = Result<Vec<u8>, TransferError>> + use<> {
        Ready(Err(NO_CONTROL))
    }

    /// Opens an endpoint.
    ///
    /// # Errors
    /// The interface has no such endpoint.
    pub fn endpoint<T: BulkOrInterrupt, D: EndpointDirection>(
        &self,
        address: u8,
    ) -> Result<Endpoint<T, D>, Error> {
        let descriptor = self.descriptor();
        let mut endpoints = descriptor.iter().flat_map(InterfaceDescriptor::endpoints);
        let fits = |endpoint: &crate::descriptors::EndpointDescriptor<'_>| {
            endpoint.address() == address && endpoint.direction() == D::DIR
        };
        match endpoints.find(fits) {
            Some(endpoint) => Ok(Endpoint {
                claim: Arc::clone(&self.claim),
                address,
                max_packet_size: endpoint.max_packet_size(),
                pending: VecDeque::new(),
                kind: PhantomData,
            }),
            None => Err(Error::new(ErrorKind::NotFound, "no such endpoint")),
        }
    }
}

/// An open endpoint.
#[derive(Debug)]
pub struct Endpoint<T, D> {
    claim: Arc<Claim>,
    address: u8,
    max_packet_size: usize,
    pending: VecDeque<Buffer>,
    kind: PhantomData<(T, D)>,
}

impl<T: BulkOrInterrupt, D: EndpointDirection> Endpoint<T, D> {
    /// Its address.
    pub fn endpoint_address(&self) -> u8 {
        self.address
    }

    /// Bytes in a packet.
    pub fn max_packet_size(&self) -> usize {
        self.max_packet_size
    }

    /// How many transfers wait.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Begins a transfer.
    pub fn submit(&mut self, buffer: Buffer) {
        self.pending.push_back(buffer);
    }

    /// Ends all transfers.
    pub fn cancel_all(&mut self) {
        self.pending.clear();
    }

    /// Waits for the oldest transfer; none when it takes longer than `timeout`.
    pub fn wait_next_complete(&mut self, _timeout: Duration) -> Option<Completion> {
        let buffer = self.pending.front()?.clone();
        let completion = self.carry_out(buffer)?;
        self.pending.pop_front();
        Some(completion)
    }

    /// Waits for the oldest transfer.
    pub async fn next_complete(&mut self) -> Completion {
        match self.wait_next_complete(Duration::MAX) {
            Some(completion) => completion,
            None => core::future::pending().await,
        }
    }

    fn carry_out(&self, mut buffer: Buffer) -> Option<Completion> {
        let result = self.claim.0.with(|state| match (state.plugged, D::DIR) {
            (false, _) => Err(TransferError::Disconnected),
            (true, Direction::Out) => {
                let sent = state.function.take(self.address, &buffer);
                sent.map(|()| Some(buffer.len()))
            }
            (true, Direction::In) => {
                let asked = buffer.requested_len();
                let given = state.function.give(self.address, asked);
                given.map(|given| {
                    given.map(|bytes| {
                        buffer.clear();
                        buffer.extend_from_slice(&bytes);
                        bytes.len()
                    })
                })
            }
        });
        let (actual_len, status) = match result {
            Ok(length) => (length?, Ok(())),
            Err(error) => (0, Err(error)),
        };
        Some(Completion {
            buffer,
            actual_len,
            status,
        })
    }
}
