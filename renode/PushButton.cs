using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals;

namespace Antmicro.Renode.Peripherals.Miscellaneous
{
    /// <summary>
    /// A button that connects its pin to ground; released, a resistor pulls the pin up.
    ///
    /// Renode's own Button acts on the pin only when time next passes, too late for a firmware
    /// that looks right after its start. This one acts at once, and stays held over a reset.
    /// </summary>
    public sealed class PushButton : IPeripheral, IGPIOSender
    {
        public PushButton(IMachine machine)
        {
            this.machine = machine;
            IRQ = new GPIO();
            IRQ.Set();
        }

        /// <summary>
        /// The port has forgotten its levels: tells it this pin's again.
        /// </summary>
        public void Reset()
        {
            IRQ.Set(Pressed);
            IRQ.Set(!Pressed);
        }

        public void Press()
        {
            Move(true);
        }

        public void Release()
        {
            Move(false);
        }

        public bool Pressed { get; private set; }

        public GPIO IRQ { get; }

        private void Move(bool pressed)
        {
            using(machine.ObtainPausedState(true))
            {
                Pressed = pressed;
                IRQ.Set(!pressed);
            }
        }

        private readonly IMachine machine;
    }
}
