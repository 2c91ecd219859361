using Antmicro.Renode.Peripherals;

namespace Antmicro.Renode.Peripherals.I2C
{
    /// <summary>
    /// A device on the bus of <c>Stm32F412I2c</c>. Other than Renode's II2CPeripheral it is asked
    /// for every acknowledge bit, so that it can refuse its address while it is busy.
    /// Times are virtual, in nanoseconds.
    /// </summary>
    public interface I2cBusDevice : IPeripheral
    {
        /// <summary>
        /// A START or repeated START, whatever its address; true acknowledges it.
        /// </summary>
        bool Start(ulong now, int address, bool isRead);

        /// <summary>
        /// A byte from the controller, after an acknowledged address; true acknowledges it.
        /// </summary>
        bool Write(ulong now, byte value);

        /// <summary>
        /// The next byte for the controller, after an acknowledged address.
        /// </summary>
        byte Read(ulong now);

        /// <summary>
        /// A STOP, whoever was addressed.
        /// </summary>
        void Stop(ulong now);
    }
}
