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
    /// <summary>How old the state that 'systemctl status' shows may be.</summary>
    private static readonly TimeSpan MostInterval = TimeSpan.FromSeconds(10);

    public static void Ready() => Send("READY=1");

    public static void Stopping() => Send("STOPPING=1");

    /// <summary>
    /// Says how it goes, and while all is well that it does, until cancelled: twice in the time after which the service manager's watchdog gives up, or more
    /// often. A peer that has stalled doesn't feed the watchdog, and is started again.
    /// </summary>
    public static async Task KeepAsync(Pulse pulse, TimeProvider time, CancellationToken cancellationToken)
    {
        var interval = MostInterval;
        if (ulong.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var watchdog) && watchdog > 0)
        {
            interval = TimeSpan.FromMicroseconds(Math.Min(watchdog / 2.0, interval.TotalMicroseconds));
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
        $"{(status.Phase.Length == 0 ? "no round yet" : $"round {status.Round} {status.Phase}")}{(status.Why.Length == 0 ? "" : $"; {status.Why.ReplaceLineEndings(" ")}")}";

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
