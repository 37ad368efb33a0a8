using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace FedChain.Node.Peer;

/// <summary>
/// Tells systemd that the peer is up, that it still gets on, and that it stops, by the protocol of sd_notify(3): datagrams to the socket that
/// <c>NOTIFY_SOCKET</c> names. Without one nothing is told.
/// </summary>
internal static class ServiceNotice
{
    /// <summary>How often the service manager wants to hear of us; null if it doesn't.</summary>
    public static TimeSpan? WatchdogInterval =>
        ulong.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) && microseconds > 0
            ? TimeSpan.FromMicroseconds(microseconds / 2.0)
            : null;

    public static void Ready() => Send("READY=1");

    public static void Stopping() => Send("STOPPING=1");

    /// <summary>Says that all is well, as long as it is, until cancelled. A peer that has stalled falls silent, and is started again.</summary>
    public static async Task KeepAsync(Pulse pulse, TimeProvider time, CancellationToken cancellationToken)
    {
        if (WatchdogInterval is not { } interval)
        {
            return;
        }

        try
        {
            while (true)
            {
                var status = pulse.Look();
                Send(status.Condition == PeerCondition.Stalled ? $"STATUS=stalled: {status.Why}" : $"WATCHDOG=1\nSTATUS={Line(status)}");
                await Task.Delay(interval, time, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // the end
        }
    }

    private static string Line(PeerStatus status) =>
        $"round {status.Round} {status.Phase}{(status.Why.Length == 0 ? "" : $"; {status.Why.ReplaceLineEndings(" ")}")}";

    private static void Send(string state)
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 1 } path)
        {
            return;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false }; // a manager that doesn't read holds up nothing
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path));
        }
        catch (SocketException)
        {
            // nobody listens: the service manager's affair
        }
    }
}
