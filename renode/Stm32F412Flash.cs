using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Memory;

namespace Antmicro.Renode.Peripherals.MTD
{
    /// <summary>
    /// The flash interface of the STM32F412 (RM0402 section 3): unlocking, erasing by sectors of
    /// the right size, EOP and the sequence error. Renode's own STM32F4_FlashController erases
    /// half of sector 5 and never sets EOP.
    ///
    /// Stores go straight to the memory, with or without PG: Renode maps it into the CPU's
    /// address space, and a controller never sees them. Operations take no time. Option bytes
    /// read as from the factory and cannot be changed.
    /// </summary>
    public sealed class Stm32F412Flash : IDoubleWordPeripheral, IKnownSize
    {
        public Stm32F412Flash(MappedMemory flash)
        {
            this.flash = flash;
            IRQ = new GPIO();
            Reset();
        }

        public void Reset()
        {
            accessControl = 0;
            status = 0;
            control = 0;
            controlLock = Lock.Locked;
            optionLock = Lock.Locked;
            IRQ.Unset();
        }

        public uint ReadDoubleWord(long offset)
        {
            switch((Register)offset)
            {
            case Register.AccessControl:
                return accessControl;
            case Register.Key:
            case Register.OptionKey:
                return 0;
            case Register.Status:
                return status;
            case Register.Control:
                return control | (controlLock == Lock.Open ? 0 : ControlLock);
            case Register.OptionControl:
                return optionLock == Lock.Open ? FactoryOptions & ~OptionControlLock : FactoryOptions;
            default:
                this.LogUnhandledRead(offset);
                return 0;
            }
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            switch((Register)offset)
            {
            case Register.AccessControl:
                accessControl = value & AccessControlWritable;
                break;
            case Register.Key:
                controlLock = AfterKey(controlLock, value, 0x45670123, 0xCDEF89AB);
                break;
            case Register.OptionKey:
                optionLock = AfterKey(optionLock, value, 0x08192A3B, 0x4C5D6E7F);
                break;
            case Register.Status:
                // Writing 1 clears.
                status &= ~value;
                break;
            case Register.Control:
                WriteControl(value);
                break;
            case Register.OptionControl:
                if((value & OptionControlLock) != 0)
                {
                    optionLock = Lock.Locked;
                }
                this.Log(LogLevel.Warning, "Option bytes cannot be changed");
                break;
            default:
                this.LogUnhandledWrite(offset, value);
                break;
            }
            IRQ.Set((control & ControlEndInterrupt) != 0 && (status & StatusEndOfOperation) != 0);
        }

        public long Size => 0x400;

        public GPIO IRQ { get; }

        private void WriteControl(uint value)
        {
            if(controlLock != Lock.Open)
            {
                this.Log(LogLevel.Warning, "FLASH_CR is locked: 0x{0:X8} is not written", value);
                return;
            }
            if((value & ControlLock) != 0)
            {
                controlLock = Lock.Locked;
            }
            control = value & ControlWritable;
            if((value & ControlStart) == 0)
            {
                return;
            }
            var sector = (int)(value >> 3 & 0xF);
            if((value & ControlMassErase) != 0)
            {
                Erase(0, SectorStarts.Length - 1);
            }
            else if((value & ControlSectorErase) != 0 && sector < SectorStarts.Length - 1)
            {
                Erase(sector, sector + 1);
            }
            else
            {
                status |= (value & ControlSectorErase) != 0 ? StatusProtectionError : StatusSequenceError;
            }
        }

        private void Erase(int first, int end)
        {
            var start = SectorStarts[first];
            flash.SetRange(start, SectorStarts[end] - start, 0xFF);
            // EOP is set only while its interrupt is enabled (section 3.8.4).
            if((control & ControlEndInterrupt) != 0)
            {
                status |= StatusEndOfOperation;
            }
        }

        private static Lock AfterKey(Lock state, uint key, uint first, uint second)
        {
            if(state == Lock.Locked && key == first)
            {
                return Lock.HalfOpen;
            }
            if(state == Lock.HalfOpen && key == second)
            {
                return Lock.Open;
            }
            // A wrong key locks it until the next reset (section 3.5.1).
            return state == Lock.Open ? Lock.Open : Lock.Blocked;
        }

        private uint accessControl;
        private uint status;
        private uint control;
        private Lock controlLock;
        private Lock optionLock;

        private readonly MappedMemory flash;

        /// <summary>Offsets of the 12 sectors and of the end (table 5).</summary>
        private static readonly long[] SectorStarts =
        {
            0x00000, 0x04000, 0x08000, 0x0C000, 0x10000, 0x20000, 0x40000, 0x60000, 0x80000,
            0xA0000, 0xC0000, 0xE0000, 0x100000,
        };

        private const uint AccessControlWritable = 0x1F0F;
        private const uint StatusEndOfOperation = 1 << 0;
        private const uint StatusProtectionError = 1 << 4;
        private const uint StatusSequenceError = 1 << 7;
        private const uint ControlSectorErase = 1 << 1;
        private const uint ControlMassErase = 1 << 2;
        private const uint ControlStart = 1 << 16;
        private const uint ControlEndInterrupt = 1 << 24;
        private const uint ControlLock = 1u << 31;
        private const uint ControlWritable = 0x0300037F;
        private const uint OptionControlLock = 1 << 0;
        /// <summary>No write protection, level 0, software watchdog, brownout reset off.</summary>
        private const uint FactoryOptions = 0x0FFFAAED;

        private enum Register
        {
            AccessControl = 0x00,
            Key = 0x04,
            OptionKey = 0x08,
            Status = 0x0C,
            Control = 0x10,
            OptionControl = 0x14,
        }

        private enum Lock
        {
            Locked,
            HalfOpen,
            Open,
            Blocked,
        }
    }
}
