using System;

using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;

namespace Antmicro.Renode.Peripherals.Miscellaneous
{
    /// <summary>
    /// The random number generator of the STM32F412 (RM0402 section 22), fed by the emulation's
    /// seeded generator. In the numbers of Renode's own STM32F4_RNG the highest bit is always 0.
    /// </summary>
    public sealed class Stm32F412Rng : IDoubleWordPeripheral, IKnownSize
    {
        public Stm32F412Rng()
        {
            IRQ = new GPIO();
            random = new Random(EmulationManager.Instance.CurrentEmulation.RandomGenerator.Next());
        }

        public void Reset()
        {
            control = 0;
            IRQ.Unset();
        }

        public uint ReadDoubleWord(long offset)
        {
            switch((Register)offset)
            {
            case Register.Control:
                return control;
            case Register.Status:
                return IsEnabled ? StatusDataReady : 0;
            case Register.Data:
                return IsEnabled ? Next() : 0;
            default:
                this.LogUnhandledRead(offset);
                return 0;
            }
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            switch((Register)offset)
            {
            case Register.Control:
                control = value & (ControlEnable | ControlInterrupt);
                IRQ.Set(control == (ControlEnable | ControlInterrupt));
                break;
            case Register.Status:
                // Clears the error flags, which are never set here.
                break;
            default:
                this.LogUnhandledWrite(offset, value);
                break;
            }
        }

        public long Size => 0x400;

        public GPIO IRQ { get; }

        private uint Next()
        {
            var bytes = new byte[4];
            random.NextBytes(bytes);
            return (uint)(bytes[0] | bytes[1] << 8 | bytes[2] << 16 | bytes[3] << 24);
        }

        private bool IsEnabled => (control & ControlEnable) != 0;

        private uint control;

        /// <summary>
        /// Renode's own generator begins anew in each thread, and each reset makes a new one: the
        /// firmware would draw the same TCP port and sequence number after every start.
        /// </summary>
        private readonly Random random;

        private const uint ControlEnable = 1 << 2;
        private const uint ControlInterrupt = 1 << 3;
        private const uint StatusDataReady = 1 << 0;

        private enum Register
        {
            Control = 0x00,
            Status = 0x04,
            Data = 0x08,
        }
    }
}
