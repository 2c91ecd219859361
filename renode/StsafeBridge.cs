using System;
using System.IO;
using System.Net.Sockets;
using System.Text;

using Antmicro.Migrant;
using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Peripherals.Timers;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Peripherals.I2C
{
    /// <summary>
    /// The secure element, which is modelled outside Renode: carries what happens on the bus and
    /// on the supply to a local server and its answers back. README.md has the protocol.
    ///
    /// Input 0 is the supply: PB14, high switches it on.
    /// </summary>
    public sealed class StsafeBridge : I2cBusDevice, IGPIOReceiver, IDisposable
    {
        public StsafeBridge(IMachine machine)
        {
            this.machine = machine;
            Failure = "";
            deadlineTimer = new LimitTimer(machine.ClockSource, NanosecondsPerSecond, this, "deadline", 1, Direction.Ascending, false, WorkMode.OneShot, true);
            deadlineTimer.LimitReached += Advance;
        }

        /// <summary>
        /// The board is started again: the processor goes on if it was halted from here.
        /// </summary>
        public void Reset()
        {
            PowerCut = false;
            if(hasHalted)
            {
                hasHalted = false;
                HaltProcessors(false);
            }
        }

        public void Dispose()
        {
            Close();
        }

        public void OnGPIO(int number, bool value)
        {
            if(value == isPowered)
            {
                return;
            }
            isPowered = value;
            if(value && !IsConnected)
            {
                Connect();
            }
            Exchange(Kind.Power, Now(), new[] { (byte)(value ? 1 : 0) }, 0);
        }

        public bool Start(ulong now, int address, bool isRead)
        {
            var answer = Exchange(Kind.Start, now, new[] { (byte)(address << 1 | (isRead ? 1 : 0)) }, 1);
            return answer != null && answer[0] == 1;
        }

        public bool Write(ulong now, byte value)
        {
            var answer = Exchange(Kind.Write, now, new[] { value }, 2);
            return answer != null && answer[0] == 1 && answer[1] == 0;
        }

        public byte Read(ulong now)
        {
            var answer = Exchange(Kind.Read, now, new byte[] { 1, 0 }, 1);
            return answer == null ? (byte)0xFF : answer[0];
        }

        public void Stop(ulong now)
        {
            Exchange(Kind.Stop, now, new byte[0], 0);
        }

        /// <summary>
        /// The server's port on 127.0.0.1; 0: the board has no secure element.
        /// </summary>
        public int Port { get; set; }

        /// <summary>
        /// Why the server is lost; empty as long as all is well.
        /// </summary>
        public string Failure { get; private set; }

        /// <summary>
        /// Whether the board has lost its power, since the machine was last reset.
        /// </summary>
        public bool PowerCut { get; private set; }

        private void Advance()
        {
            Exchange(Kind.Advance, deadline, new byte[0], 0);
        }

        private void Connect()
        {
            Failure = "";
            if(Port == 0)
            {
                this.Log(LogLevel.Warning, "No secure element answers: start one (hil stsafe --listen PORT) and set Port");
                return;
            }
            try
            {
                client = new TcpClient();
                client.NoDelay = true;
                client.Connect("127.0.0.1", Port);
                stream = client.GetStream();
            }
            catch(SocketException e)
            {
                Fail(string.Format("nothing listens on 127.0.0.1:{0} ({1}): start hil stsafe --listen {0}", Port, e.Message));
                return;
            }
            lastTime = 0;
            var hello = Encoding.ASCII.GetBytes("HILSTSFE\0\0");
            hello[8] = Version;
            var answer = Exchange(Kind.Hello, Now(), hello, 2);
            if(answer != null && (answer[0] != Version || answer[1] != 0))
            {
                Fail(string.Format("the server speaks version {0} of the protocol, not {1}", answer[0] | answer[1] << 8, Version));
            }
        }

        /// <summary>
        /// Sends a request and waits for its answer; the payload, or null without a server.
        /// </summary>
        private byte[] Exchange(Kind kind, ulong now, byte[] payload, int answerLength)
        {
            if(!IsConnected)
            {
                return null;
            }
            try
            {
                lastTime = Math.Max(lastTime, now);
                Send(kind, lastTime, payload);
                var answer = Receive(kind, answerLength);
                Schedule(lastTime, BitConverter.ToUInt64(answer, 2));
                if((answer[1] & FlagPowerCut) != 0)
                {
                    this.Log(LogLevel.Info, "The board has lost its power");
                    PowerCut = true;
                    Halt();
                }
                var result = new byte[answerLength];
                Array.Copy(answer, AnswerHeader, result, 0, answerLength);
                return result;
            }
            catch(IOException e)
            {
                Fail(e.Message);
                return null;
            }
        }

        private void Send(Kind kind, ulong now, byte[] payload)
        {
            var frame = new byte[2 + RequestHeader + payload.Length];
            var length = RequestHeader + payload.Length;
            frame[0] = (byte)length;
            frame[1] = (byte)(length >> 8);
            frame[2] = (byte)kind;
            for(var i = 0; i < 8; ++i)
            {
                frame[3 + i] = (byte)(now >> 8 * i);
            }
            Array.Copy(payload, 0, frame, 2 + RequestHeader, payload.Length);
            stream.Write(frame, 0, frame.Length);
        }

        private byte[] Receive(Kind kind, int answerLength)
        {
            var length = ReceiveExactly(2);
            var answer = ReceiveExactly(length[0] | length[1] << 8);
            if(answer.Length < AnswerHeader)
            {
                throw new IOException(string.Format("an answer of {0} bytes, shorter than its header", answer.Length));
            }
            if(answer[0] == (byte)Kind.Error)
            {
                throw new IOException("the server refuses: " + Encoding.UTF8.GetString(answer, AnswerHeader, answer.Length - AnswerHeader));
            }
            if(answer[0] != ((byte)kind | AnswerBit) || answer.Length != AnswerHeader + answerLength)
            {
                throw new IOException(string.Format("{0} bytes of kind 0x{1:X2} answer a {2} request", answer.Length, answer[0], kind));
            }
            return answer;
        }

        private byte[] ReceiveExactly(int count)
        {
            var bytes = new byte[count];
            var position = 0;
            while(position < count)
            {
                // Mono does not keep to the stream's own timeout.
                if(!client.Client.Poll(TimeoutMicroseconds, SelectMode.SelectRead))
                {
                    throw new IOException("the server does not answer");
                }
                var received = stream.Read(bytes, position, count - position);
                if(received == 0)
                {
                    throw new IOException("the server has closed the connection");
                }
                position += received;
            }
            return bytes;
        }

        private void Schedule(ulong now, ulong next)
        {
            deadline = next;
            deadlineTimer.Enabled = false;
            if(deadline == ulong.MaxValue)
            {
                return;
            }
            deadlineTimer.Limit = deadline > now ? deadline - now : 1;
            deadlineTimer.ResetValue();
            deadlineTimer.Enabled = true;
        }

        private void Fail(string text)
        {
            Failure = text;
            this.Log(LogLevel.Error, "Secure element lost: {0}", text);
            Disconnect();
            Halt();
        }

        private void Halt()
        {
            hasHalted = true;
            HaltProcessors(true);
        }

        private void HaltProcessors(bool halted)
        {
            foreach(var cpu in machine.SystemBus.GetCPUs())
            {
                cpu.IsHalted = halted;
            }
        }

        private void Disconnect()
        {
            deadlineTimer.Enabled = false;
            Close();
        }

        private void Close()
        {
            if(client != null)
            {
                client.Close();
            }
            client = null;
            stream = null;
        }

        /// <summary>
        /// The virtual time in nanoseconds, to the instruction.
        /// </summary>
        private ulong Now()
        {
            ICPU cpu;
            if(machine.SystemBus.TryGetCurrentCPU(out cpu))
            {
                cpu.SyncTime();
            }
            return machine.ElapsedVirtualTime.TimeElapsed.TotalNanoseconds;
        }

        private bool IsConnected => stream != null;

        private bool isPowered;
        private bool hasHalted;
        private ulong lastTime;
        private ulong deadline;
        [Transient]
        private TcpClient client;
        [Transient]
        private NetworkStream stream;

        private readonly IMachine machine;
        private readonly LimitTimer deadlineTimer;

        private const byte Version = 1;
        private const int TimeoutMicroseconds = 10000000;
        private const int RequestHeader = 9;
        private const int AnswerHeader = 10;
        private const byte AnswerBit = 0x80;
        private const byte FlagPowerCut = 0x01;
        private const ulong NanosecondsPerSecond = 1000000000;

        private enum Kind : byte
        {
            Hello = 0x01,
            Power = 0x02,
            Start = 0x03,
            Write = 0x04,
            Read = 0x05,
            Stop = 0x06,
            Advance = 0x07,
            Error = 0xFF,
        }
    }
}
