using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using FedChain.Node.Homes;
using FedChain.Node.Models;
using FedChain.Node.Peer;
using FedChain.Node.Training;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Cli;

internal static class NodeCommand
{
    public static Command Create()
    {
        var home = CommonOptions.Home();
        var rpc = CommonOptions.Rpc();
        var passphrase = CommonOptions.PassphraseFile();
        var rounds = new Option<ulong?>("--until-round") { Description = "Stop once this round has ended; run on if not given.", HelpName = "NUMBER" };
        var json = CommonOptions.Json();
        var monitor = new Option<IPEndPoint?>("--monitor")
        {
            Description = "Serve the peer's health and metrics there, as /health (JSON) and /metrics (Prometheus); a port alone is one of 127.0.0.1.",
            HelpName = "[ADDRESS:]PORT",
            CustomParser = ParseMonitor,
        };
        var withParent = new Option<bool>("--with-parent") { Description = "Stop when standard input ends.", Hidden = true };
        var command = new Command("node", """
            Runs this institution's peer: trains, submits, aggregates when it is its turn, checks every aggregate, and serves its content.
            It can be stopped, or killed, at any time; started again, it goes on where it was. How it trains is in the home's settings; options
            for that hold for this run.

            Examples:
              fedchain node --home /srv/fedchain --passphrase-file /run/secrets/fedchain
              fedchain node --home /srv/fedchain --weights int8 --batch-size 1 --accumulation-steps 8 --gradient-checkpointing
              fedchain node --home /srv/fedchain --json --monitor 9464
            """)
        { home, rpc, passphrase, rounds, json, monitor, withParent, NodePauseCommand.CreatePause(), NodePauseCommand.CreateResume() };
        var (placementOptions, trainingOptions, ipfs) = (new PlacementOptions(command), new LocalTrainingOptions(command), new IpfsOptions(command));
        command.SetAction(async (result, cancellationToken) =>
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (result.GetValue(withParent))
            {
                _ = Task.Run(
                    async () =>
                    {
                        await Console.In.ReadToEndAsync(stop.Token);
                        await stop.CancelAsync();
                    },
                    CancellationToken.None);
            }

            var folder = HomeFolder.Open(result.GetRequiredValue(home).FullName);
            if (ipfs.Apply(result, folder.Settings) is var settings && settings != folder.Settings)
            {
                folder.Save(settings);
            }

            var placement = placementOptions.Read(result, folder.Settings);
            var training = trainingOptions.Apply(result, folder.Settings.Training);
            var secret = Passphrase.Read(result.GetValue(passphrase)?.FullName, confirm: false);
            var asJson = result.GetValue(json);
            var output = new Lock();
            var last = result.GetValue(rounds);
            PeerMetrics? metrics = null;
            try
            {
                await using var host = await PeerHost.StartAsync(
                    folder, secret, result.GetValue(rpc),
                    async (policy, token) => await TorchTrainer.LoadAsync(
                        BaseModel.Open(folder.Settings.Model ?? BaseModel.Own),
                        folder.Settings.Data ?? throw new UserErrorException($"The home {folder.Path} names no data. Set \"data\" in home.json to a *.jsonl or *.jsonl.gz file."),
                        policy, training, folder.Settings.Seed, placement, token),
                    Take, TimeProvider.System, deceit: null, stop.Token);
                using var counted = metrics = new PeerMetrics(host.Pulse);
                await using var served = result.GetValue(monitor) is { } listen ? await PeerMonitor.StartAsync(listen, host.Pulse, metrics, stop.Token) : null;
                if (served is not null)
                {
                    host.Tell(new PeerEvent.Monitored(served.BaseAddress.ToString()));
                }

                ServiceNotice.Ready();
                using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
                var kept = ServiceNotice.KeepAsync(host.Pulse, TimeProvider.System, ended.Token);
                try
                {
                    await host.RunAsync((state, now) => last is { } n && HasEnded(state, now, n), stop.Token);
                }
                finally
                {
                    ServiceNotice.Stopping();
                    await ended.CancelAsync();
                    await kept;
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // asked to stop: the home and the chain hold everything
            }

            return ExitCodes.Done;

            void Take(PeerEvent e)
            {
                metrics?.Take(e);
                if (!asJson && e is PeerEvent.Training { } step && step.Step != step.Steps && step.Step % 10 != 0)
                {
                    return;
                }

                lock (output)
                {
                    Console.WriteLine(asJson ? e.ToJson() : e.ToString());
                }
            }
        });
        return command;
    }

    private static IPEndPoint? ParseMonitor(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return new IPEndPoint(IPAddress.Loopback, port);
        }

        // IPEndPoint takes an address without a port for one with port 0.
        if (IPEndPoint.TryParse(text, out var endpoint) && text.EndsWith(string.Create(CultureInfo.InvariantCulture, $":{endpoint.Port}"), StringComparison.Ordinal))
        {
            return endpoint;
        }

        result.AddError($"--monitor takes a port, or an IP address and a port, such as 9464 or 10.0.0.5:9464; got '{text}'.");
        return null;
    }

    private static bool HasEnded(FederationState state, ulong now, ulong round) =>
        state.Round(new Protocol.RoundId(round))?.PhaseAt(now) is Phase.Finalised or Phase.Aborted || state.Current?.Id.Value > round;
}
