using System.Linq;

using Antmicro.Renode.Core;
using Antmicro.Renode.Core.Structure;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Peripherals.Timers;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Peripherals.I2C
{
    /// <summary>
    /// The I2C interface of the STM32F412 as a controller (RM0402 section 24), byte by byte in
    /// virtual time. Renode's own STM32F4_I2C has no device that can refuse its address, loses AF
    /// at any read of SR1, and has no BUSY.
    ///
    /// The target role, SMBus, packet error checking and DMA are not modelled.
    /// </summary>
    public sealed class Stm32F412I2c : SimpleContainer<I2cBusDevice>, IDoubleWordPeripheral, IWordPeripheral, IBytePeripheral, IKnownSize
    {
        public Stm32F412I2c(IMachine machine, ulong frequency = 48000000) : base(machine)
        {
            this.frequency = frequency;
            EventInterrupt = new GPIO();
            ErrorInterrupt = new GPIO();
            phaseTimer = new LimitTimer(machine.ClockSource, NanosecondsPerSecond, this, "phase", 1, Direction.Ascending, false, WorkMode.OneShot, true);
            phaseTimer.LimitReached += EndPhase;
            ResetRegisters();
        }

        public override void Reset()
        {
            phaseTimer.Reset();
            ResetRegisters();
            UpdateInterrupts();
        }

        public uint ReadDoubleWord(long offset)
        {
            var now = Now();
            var value = Read(offset, now);
            UpdateInterrupts();
            return value;
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            var now = Now();
            Write(offset, value, now);
            UpdateInterrupts();
        }

        public ushort ReadWord(long offset)
        {
            return (ushort)ReadDoubleWord(offset);
        }

        public void WriteWord(long offset, ushort value)
        {
            WriteDoubleWord(offset, value);
        }

        public byte ReadByte(long offset)
        {
            return (byte)ReadDoubleWord(offset);
        }

        public void WriteByte(long offset, byte value)
        {
            WriteDoubleWord(offset, value);
        }

        public long Size => 0x400;

        public GPIO EventInterrupt { get; }

        public GPIO ErrorInterrupt { get; }

        private uint Read(long offset, ulong now)
        {
            switch((Register)offset)
            {
            case Register.Control1:
                return control1;
            case Register.Control2:
                return control2;
            case Register.OwnAddress1:
                return ownAddress1;
            case Register.OwnAddress2:
                return ownAddress2;
            case Register.Data:
                var value = data;
                DataWasRead(now);
                return value;
            case Register.Status1:
                seen = status1;
                return status1;
            case Register.Status2:
                var status = status2 | (IsBusy ? Status2Busy : 0);
                if((seen & Status1AddressSent) != 0)
                {
                    AddressWasCleared(now);
                }
                return status;
            case Register.ClockControl:
                return clockControl;
            case Register.RiseTime:
                return riseTime;
            case Register.Filter:
                return filter;
            default:
                this.LogUnhandledRead(offset);
                return 0;
            }
        }

        private void Write(long offset, uint value, ulong now)
        {
            switch((Register)offset)
            {
            case Register.Control1:
                WriteControl1(value, now);
                break;
            case Register.Control2:
                WarnOfUnmodelled("CR2", value & Control2Unmodelled);
                control2 = value & Control2Writable;
                break;
            case Register.OwnAddress1:
                ownAddress1 = value & 0xC3FF;
                break;
            case Register.OwnAddress2:
                ownAddress2 = value & 0xFF;
                break;
            case Register.Data:
                DataWasWritten((byte)value, now);
                break;
            case Register.Status1:
                // Writing 0 clears the error flags and no other (section 24.6.6).
                status1 &= value | ~Status1Errors;
                break;
            case Register.ClockControl:
                if(!IsEnabled)
                {
                    clockControl = value & 0xCFFF;
                }
                break;
            case Register.RiseTime:
                if(!IsEnabled)
                {
                    riseTime = value & 0x3F;
                }
                break;
            case Register.Filter:
                filter = value & 0x1F;
                break;
            default:
                this.LogUnhandledWrite(offset, value);
                break;
            }
        }

        private void WriteControl1(uint value, ulong now)
        {
            WarnOfUnmodelled("CR1", value & Control1Unmodelled);
            if((value & Control1SoftwareReset) != 0)
            {
                phaseTimer.Enabled = false;
                ResetRegisters();
                control1 = Control1SoftwareReset;
                return;
            }
            control1 = value & Control1Writable;
            if(IsEnabled)
            {
                ServeRequests(now);
            }
            else
            {
                TurnOff();
            }
        }

        private void TurnOff()
        {
            control1 &= ~(Control1Start | Control1Stop | Control1Acknowledge | Control1Position);
            status1 = 0;
            status2 = 0;
            waiting = null;
            shifted = null;
            WaitIn(Phase.Idle);
        }

        private void ResetRegisters()
        {
            control1 = 0;
            control2 = 0;
            ownAddress1 = 0;
            ownAddress2 = 0;
            data = 0;
            status1 = 0;
            status2 = 0;
            clockControl = 0;
            riseTime = 0x02;
            filter = 0;
            seen = 0;
            waiting = null;
            shifted = null;
            addressed = null;
            phase = Phase.Idle;
        }

        /// <summary>
        /// START and STOP take effect when the bus lets them; STOP goes first.
        /// </summary>
        private void ServeRequests(ulong now)
        {
            var stop = (control1 & Control1Stop) != 0;
            var start = (control1 & Control1Start) != 0;
            if(phase == Phase.Idle)
            {
                // Not a controller: there is nothing to stop.
                control1 &= ~Control1Stop;
                if(start && IsEnabled)
                {
                    Enter(Phase.Starting, now, 1);
                }
            }
            else if(phase == Phase.Refused || phase == Phase.Hungry || phase == Phase.Full)
            {
                if(stop)
                {
                    Enter(Phase.Stopping, now, 1);
                }
                else if(start)
                {
                    Enter(Phase.Starting, now, 1);
                }
            }
        }

        private void EndPhase()
        {
            var at = phaseEnds;
            switch(phase)
            {
            case Phase.Starting:
                control1 &= ~Control1Start;
                status2 = Status2Controller;
                LeaveTransfer();
                Raise(Status1StartBit);
                WaitIn(Phase.Started);
                break;
            case Phase.Addressing:
                EndAddress(at);
                break;
            case Phase.Sending:
                EndSending(at);
                break;
            case Phase.Receiving:
                var next = (control1 & Control1Acknowledge) != 0;
                acknowledge = (control1 & Control1Position) != 0 ? acknowledgeNext : next;
                acknowledgeNext = next;
                Enter(Phase.Acknowledging, at, 1);
                break;
            case Phase.Acknowledging:
                EndReceiving(at);
                break;
            case Phase.Stopping:
                foreach(var device in ChildCollection.Values)
                {
                    device.Stop(at);
                }
                addressed = null;
                control1 &= ~Control1Stop;
                status2 = 0;
                LeaveTransfer();
                WaitIn(Phase.Idle);
                ServeRequests(at);
                break;
            }
            UpdateInterrupts();
        }

        private void LeaveTransfer()
        {
            waiting = null;
            Lower(Status1TransmitEmpty);
            if(shifted == null)
            {
                Lower(Status1ByteFinished);
            }
        }

        private void EndAddress(ulong at)
        {
            var isRead = (onBus & 1) != 0;
            addressed = null;
            // All devices see every address: one that is in a transfer learns that it is over.
            foreach(var device in ChildCollection.OrderBy(child => child.Key).Select(child => child.Value))
            {
                if(device.Start(at, onBus >> 1, isRead))
                {
                    addressed = device;
                }
            }
            if(addressed == null)
            {
                Raise(Status1AcknowledgeFailure);
                WaitIn(Phase.Refused);
                ServeRequests(at);
                return;
            }
            if(!isRead)
            {
                status2 |= Status2Transmitter;
            }
            Raise(Status1AddressSent);
            WaitIn(Phase.Addressed);
        }

        private void EndSending(ulong at)
        {
            if(!addressed.Write(at, onBus))
            {
                Raise(Status1AcknowledgeFailure);
                WaitIn(Phase.Refused);
            }
            else if((control1 & (Control1Stop | Control1Start)) != 0)
            {
                WaitIn(Phase.Hungry);
            }
            else if(waiting != null)
            {
                Raise(Status1TransmitEmpty);
                Send(waiting.Value, at);
                waiting = null;
                return;
            }
            else
            {
                Raise(Status1TransmitEmpty | Status1ByteFinished);
                WaitIn(Phase.Hungry);
            }
            ServeRequests(at);
        }

        private void EndReceiving(ulong at)
        {
            var isBehind = (status1 & Status1ReceiveNotEmpty) != 0;
            if(isBehind)
            {
                shifted = onBus;
                Raise(Status1ByteFinished);
            }
            else
            {
                data = onBus;
                Raise(Status1ReceiveNotEmpty);
            }
            var isRequested = (control1 & (Control1Stop | Control1Start)) != 0;
            if(acknowledge && !isBehind && !isRequested)
            {
                Receive(at);
                return;
            }
            WaitIn(Phase.Full);
            ServeRequests(at);
        }

        private void AddressWasCleared(ulong now)
        {
            Lower(Status1AddressSent);
            if(phase != Phase.Addressed)
            {
                return;
            }
            if((status2 & Status2Transmitter) == 0)
            {
                acknowledgeNext = (control1 & Control1Acknowledge) != 0;
                Receive(now);
                return;
            }
            Raise(Status1TransmitEmpty);
            if(waiting != null)
            {
                Send(waiting.Value, now);
                waiting = null;
                return;
            }
            WaitIn(Phase.Hungry);
            ServeRequests(now);
        }

        private void DataWasWritten(byte value, ulong now)
        {
            switch(phase)
            {
            case Phase.Started:
                if((seen & Status1StartBit) != 0)
                {
                    Lower(Status1StartBit);
                    onBus = value;
                    Enter(Phase.Addressing, now, BitsOfByte + 1);
                }
                break;
            case Phase.Hungry:
                Lower(Status1ByteFinished);
                Send(value, now);
                break;
            case Phase.Sending:
                waiting = value;
                Lower(Status1TransmitEmpty);
                break;
            case Phase.Addressed:
                if((status2 & Status2Transmitter) != 0)
                {
                    waiting = value;
                }
                break;
            }
        }

        private void DataWasRead(ulong now)
        {
            if(shifted == null)
            {
                Lower(Status1ReceiveNotEmpty);
                return;
            }
            data = shifted.Value;
            shifted = null;
            Lower(Status1ByteFinished);
            if(phase == Phase.Full && acknowledge)
            {
                Receive(now);
            }
        }

        private void Send(byte value, ulong now)
        {
            onBus = value;
            Enter(Phase.Sending, now, BitsOfByte + 1);
        }

        private void Receive(ulong now)
        {
            onBus = addressed.Read(now);
            Enter(Phase.Receiving, now, BitsOfByte);
        }

        /// <summary>
        /// The phase begins now and ends after so many periods of SCL (section 24.6.8).
        /// </summary>
        private void Enter(Phase next, ulong now, ulong periods)
        {
            var cycles = (ulong)(clockControl & 0xFFF);
            cycles = cycles == 0 ? 1 : cycles;
            if((clockControl & ClockControlFast) == 0)
            {
                cycles *= 2;
            }
            else
            {
                cycles *= (clockControl & ClockControlDuty) == 0 ? 3u : 25u;
            }
            var duration = cycles * periods * NanosecondsPerSecond / frequency;
            phase = next;
            phaseEnds = now + duration;
            phaseTimer.Enabled = false;
            phaseTimer.Limit = duration == 0 ? 1 : duration;
            phaseTimer.ResetValue();
            phaseTimer.Enabled = true;
        }

        /// <summary>
        /// The phase waits for software: SCL is held low where a transfer is under way.
        /// </summary>
        private void WaitIn(Phase next)
        {
            phase = next;
            phaseTimer.Enabled = false;
        }

        private void Raise(uint flags)
        {
            status1 |= flags;
        }

        private void Lower(uint flags)
        {
            status1 &= ~flags;
            seen &= ~flags;
        }

        private void UpdateInterrupts()
        {
            var events = Status1StartBit | Status1AddressSent | Status1ByteFinished;
            if((control2 & Control2BufferInterrupt) != 0)
            {
                events |= Status1TransmitEmpty | Status1ReceiveNotEmpty;
            }
            EventInterrupt.Set((control2 & Control2EventInterrupt) != 0 && (status1 & events) != 0);
            ErrorInterrupt.Set((control2 & Control2ErrorInterrupt) != 0 && (status1 & Status1Errors) != 0);
        }

        private void WarnOfUnmodelled(string register, uint bits)
        {
            if(bits != 0)
            {
                this.Log(LogLevel.Warning, "{0}: bits 0x{1:X4} ask for SMBus, packet error checking or DMA, which are not modelled", register, bits);
            }
        }

        private ulong Now()
        {
            ICPU cpu;
            if(machine.SystemBus.TryGetCurrentCPU(out cpu))
            {
                cpu.SyncTime();
            }
            return machine.ElapsedVirtualTime.TimeElapsed.TotalNanoseconds;
        }

        private bool IsEnabled => (control1 & Control1Enable) != 0;

        private bool IsBusy => IsEnabled && phase != Phase.Idle;

        private uint control1;
        private uint control2;
        private uint ownAddress1;
        private uint ownAddress2;
        private uint status1;
        private uint status2;
        private uint clockControl;
        private uint riseTime;
        private uint filter;
        /// <summary>What a read of DR gives.</summary>
        private byte data;
        /// <summary>The flags that the last read of SR1 showed.</summary>
        private uint seen;
        /// <summary>The byte in DR that waits for the transmitter's shift register.</summary>
        private byte? waiting;
        /// <summary>The byte in the receiver's shift register that waits for a read of DR.</summary>
        private byte? shifted;
        /// <summary>The byte on its way.</summary>
        private byte onBus;
        private bool acknowledge;
        /// <summary>With POS: ACK as it was when the byte on its way began.</summary>
        private bool acknowledgeNext;
        private I2cBusDevice addressed;
        private Phase phase;
        private ulong phaseEnds;

        private readonly ulong frequency;
        private readonly LimitTimer phaseTimer;

        private const ulong NanosecondsPerSecond = 1000000000;
        private const ulong BitsOfByte = 8;

        private const uint Control1Enable = 1 << 0;
        private const uint Control1Start = 1 << 8;
        private const uint Control1Stop = 1 << 9;
        private const uint Control1Acknowledge = 1 << 10;
        private const uint Control1Position = 1 << 11;
        private const uint Control1SoftwareReset = 1 << 15;
        private const uint Control1Unmodelled = 0x307A;
        private const uint Control1Writable = 0x8F81;

        private const uint Control2ErrorInterrupt = 1 << 8;
        private const uint Control2EventInterrupt = 1 << 9;
        private const uint Control2BufferInterrupt = 1 << 10;
        private const uint Control2Unmodelled = 0x1800;
        private const uint Control2Writable = 0x073F;

        private const uint Status1StartBit = 1 << 0;
        private const uint Status1AddressSent = 1 << 1;
        private const uint Status1ByteFinished = 1 << 2;
        private const uint Status1ReceiveNotEmpty = 1 << 6;
        private const uint Status1TransmitEmpty = 1 << 7;
        private const uint Status1AcknowledgeFailure = 1 << 10;
        /// <summary>BERR, ARLO, AF, OVR, PECERR, TIMEOUT, SMBALERT.</summary>
        private const uint Status1Errors = 0xDF00;

        private const uint Status2Controller = 1 << 0;
        private const uint Status2Busy = 1 << 1;
        private const uint Status2Transmitter = 1 << 2;

        private const uint ClockControlDuty = 1 << 14;
        private const uint ClockControlFast = 1 << 15;

        private enum Register
        {
            Control1 = 0x00,
            Control2 = 0x04,
            OwnAddress1 = 0x08,
            OwnAddress2 = 0x0C,
            Data = 0x10,
            Status1 = 0x14,
            Status2 = 0x18,
            ClockControl = 0x1C,
            RiseTime = 0x20,
            Filter = 0x24,
        }

        /// <summary>
        /// Where a transfer stands (section 24.3.3).
        /// </summary>
        private enum Phase
        {
            /// <summary>No transfer.</summary>
            Idle,
            /// <summary>A START or repeated START is being made.</summary>
            Starting,
            /// <summary>SB: waits for the address.</summary>
            Started,
            /// <summary>The address byte and its acknowledge bit.</summary>
            Addressing,
            /// <summary>ADDR: waits until software has read SR1 and SR2.</summary>
            Addressed,
            /// <summary>AF: waits for STOP or START.</summary>
            Refused,
            /// <summary>Transmitter: waits for a byte.</summary>
            Hungry,
            /// <summary>Transmitter: a byte and its acknowledge bit.</summary>
            Sending,
            /// <summary>Receiver: the eight bits of a byte.</summary>
            Receiving,
            /// <summary>Receiver: the acknowledge bit.</summary>
            Acknowledging,
            /// <summary>Receiver: waits for a read of DR, or after a NACK for STOP or START.</summary>
            Full,
            /// <summary>A STOP is being made.</summary>
            Stopping,
        }
    }
}
