using System.Collections.Generic;
using System.Text;

using Antmicro.Renode.Logging;

namespace Antmicro.Renode.Peripherals.I2C
{
    /// <summary>
    /// The OLED: an SSD1306-class controller with a panel of 128 x 64 pixels (Solomon Systech
    /// SSD1306 data sheet rev 1.1, sections 8.1.5, 9 and 10).
    ///
    /// A reset of the machine leaves it alone, as a reset of the chip does on the board:
    /// PowerCycle takes its supply away.
    /// </summary>
    public sealed class Ssd1306 : I2cBusDevice
    {
        public Ssd1306(int address = 0x3C)
        {
            this.address = address;
            PowerCycle();
        }

        /// <summary>
        /// Everything as after power-on. What GDDRAM then holds is not defined: all ones show a
        /// firmware that forgets to clear it.
        /// </summary>
        public void PowerCycle()
        {
            for(var i = 0; i < memory.Length; ++i)
            {
                memory[i] = 0xFF;
            }
            addressing = Addressing.Page;
            page = 0;
            column = 0;
            firstPage = 0;
            lastPage = Pages - 1;
            firstColumn = 0;
            lastColumn = Width - 1;
            remapsSegments = false;
            remapsOutputs = false;
            startLine = 0;
            offset = 0;
            multiplex = Height - 1;
            isInverted = false;
            isAllOn = false;
            isOn = false;
            hasChargePump = false;
            command.Clear();
            Reset();
        }

        public void Reset()
        {
            stream = Stream.None;
            isOneByte = false;
        }

        public bool Start(ulong now, int address, bool isRead)
        {
            Reset();
            return Present && address == this.address;
        }

        public bool Write(ulong now, byte value)
        {
            if(!Present)
            {
                return false;
            }
            if(stream == Stream.None)
            {
                stream = (value & ControlData) == 0 ? Stream.Command : Stream.Data;
                isOneByte = (value & ControlContinuation) != 0;
                return true;
            }
            if(stream == Stream.Command)
            {
                CommandByte(value);
            }
            else
            {
                DataByte(value);
            }
            if(isOneByte)
            {
                stream = Stream.None;
            }
            Revision++;
            return true;
        }

        public byte Read(ulong now)
        {
            // The status register: bit 6 tells that the display is off (section 9.2).
            return (byte)(isOn ? 0x00 : 0x40);
        }

        public void Stop(ulong now)
        {
            Reset();
        }

        /// <summary>
        /// Whether the display answers; false: a board without one.
        /// </summary>
        public bool Present { get; set; } = true;

        /// <summary>
        /// Rises whenever the picture may have changed.
        /// </summary>
        public uint Revision { get; private set; }

        /// <summary>
        /// Whether it shines: on, and its charge pump feeds the panel.
        /// </summary>
        public bool Shines => Present && isOn && hasChargePump;

        /// <summary>
        /// What one sees: 64 rows from the top, each 32 hexadecimal digits, the highest bit of the
        /// first digit on the left; a set bit shines.
        /// </summary>
        public string Picture
        {
            get
            {
                var text = new StringBuilder();
                for(var y = 0; y < Height; ++y)
                {
                    for(var x = 0; x < Width; x += 4)
                    {
                        var digit = 0;
                        for(var i = 0; i < 4; ++i)
                        {
                            digit = digit << 1 | (IsLit(x + i, y) ? 1 : 0);
                        }
                        text.Append(digit.ToString("x"));
                    }
                }
                return text.ToString();
            }
        }

        private bool IsLit(int x, int y)
        {
            // The panel of the board is mounted so that the remapped scan orders are upright.
            var memoryColumn = remapsSegments ? x : Width - 1 - x;
            var line = remapsOutputs ? y : Height - 1 - y;
            // The rows beyond the multiplex ratio are not driven (section 10.1.11).
            if(!Shines || line > multiplex)
            {
                return false;
            }
            var row = (line + startLine + offset) % Height;
            var isSet = isAllOn || (memory[row / 8 * Width + memoryColumn] >> (row % 8) & 1) != 0;
            return isSet != isInverted;
        }

        private void DataByte(byte value)
        {
            memory[page * Width + column] = value;
            switch(addressing)
            {
            case Addressing.Page:
                column = (column + 1) % Width;
                break;
            case Addressing.Horizontal:
                var endsRow = column == lastColumn;
                column = endsRow ? firstColumn : (column + 1) % Width;
                if(endsRow)
                {
                    page = page == lastPage ? firstPage : (page + 1) % Pages;
                }
                break;
            case Addressing.Vertical:
                var endsColumn = page == lastPage;
                page = endsColumn ? firstPage : (page + 1) % Pages;
                if(endsColumn)
                {
                    column = column == lastColumn ? firstColumn : (column + 1) % Width;
                }
                break;
            }
        }

        private void CommandByte(byte value)
        {
            command.Add(value);
            if(command.Count > ParametersOf(command[0]))
            {
                Execute(command[0]);
                command.Clear();
            }
        }

        private void Execute(byte code)
        {
            if(code <= 0x0F)
            {
                column = (column & 0x70) | code;
            }
            else if(code <= 0x17)
            {
                column = (column & 0x0F) | (code & 0x07) << 4;
            }
            else if(code >= 0x40 && code <= 0x7F)
            {
                startLine = code & 0x3F;
            }
            else if(code >= 0xB0 && code <= 0xB7)
            {
                page = code & 0x07;
            }
            else if(code >= 0xC0 && code <= 0xCF)
            {
                remapsOutputs = (code & 0x08) != 0;
            }
            else
            {
                ExecuteSingle(code);
            }
        }

        private void ExecuteSingle(byte code)
        {
            switch(code)
            {
            case 0x20:
                switch(command[1] & 0x03)
                {
                case 0:
                    addressing = Addressing.Horizontal;
                    break;
                case 1:
                    addressing = Addressing.Vertical;
                    break;
                default:
                    addressing = Addressing.Page;
                    break;
                }
                break;
            case 0x21:
                firstColumn = command[1] & 0x7F;
                lastColumn = command[2] & 0x7F;
                column = firstColumn;
                break;
            case 0x22:
                firstPage = command[1] & 0x07;
                lastPage = command[2] & 0x07;
                page = firstPage;
                break;
            case 0x8D:
                hasChargePump = (command[1] & 0x04) != 0;
                break;
            case 0xA0:
            case 0xA1:
                remapsSegments = code == 0xA1;
                break;
            case 0xA4:
            case 0xA5:
                isAllOn = code == 0xA5;
                break;
            case 0xA6:
            case 0xA7:
                isInverted = code == 0xA7;
                break;
            case 0xA8:
                multiplex = command[1] & 0x3F;
                break;
            case 0xAE:
            case 0xAF:
                isOn = code == 0xAF;
                break;
            case 0xD3:
                offset = command[1] & 0x3F;
                break;
            default:
                // Contrast, timing, pins, scrolling, NOP: the picture stays.
                this.Log(LogLevel.Noisy, "Command 0x{0:X2} does not change the picture", code);
                break;
            }
        }

        /// <summary>
        /// How many parameter bytes follow a command (table 9-1).
        /// </summary>
        private static int ParametersOf(byte code)
        {
            switch(code)
            {
            case 0x26:
            case 0x27:
                return 6;
            case 0x29:
            case 0x2A:
                return 5;
            case 0x21:
            case 0x22:
            case 0xA3:
                return 2;
            case 0x20:
            case 0x81:
            case 0x8D:
            case 0xA8:
            case 0xD3:
            case 0xD5:
            case 0xD9:
            case 0xDA:
            case 0xDB:
                return 1;
            default:
                return 0;
            }
        }

        private Stream stream;
        /// <summary>The control byte was for one byte only; else up to the STOP.</summary>
        private bool isOneByte;
        private Addressing addressing;
        private int page;
        private int column;
        private int firstPage;
        private int lastPage;
        private int firstColumn;
        private int lastColumn;
        private bool remapsSegments;
        private bool remapsOutputs;
        private int startLine;
        private int offset;
        private int multiplex;
        private bool isInverted;
        private bool isAllOn;
        private bool isOn;
        private bool hasChargePump;

        private readonly int address;
        /// <summary>GDDRAM: pages of 128 columns, bit 0 on top.</summary>
        private readonly byte[] memory = new byte[Pages * Width];
        /// <summary>A command that waits for parameters, over transfers too.</summary>
        private readonly List<byte> command = new List<byte>();

        private const int Width = 128;
        private const int Height = 64;
        private const int Pages = Height / 8;
        private const byte ControlContinuation = 0x80;
        private const byte ControlData = 0x40;

        private enum Stream
        {
            /// <summary>A control byte is next.</summary>
            None,
            Command,
            Data,
        }

        private enum Addressing
        {
            Horizontal,
            Vertical,
            Page,
        }
    }
}
