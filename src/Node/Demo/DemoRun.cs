using System.Globalization;
using System.Security.Cryptography;
using System.Threading.Channels;
using FedChain.Learning;
using FedChain.Learning.Data;
using FedChain.Learning.Data.Generated;
using FedChain.Learning.Models;
using FedChain.Learning.Tokenization;
using FedChain.Network.Chain;
using FedChain.Node.Audit;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.LocalChain;
using FedChain.Node.Models;
using FedChain.Node.Peer;
using FedChain.Node.Training;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Rounds;
using Spectre.Console;

namespace FedChain.Node.Demo;

/// <summary>
/// The whole main job on one machine: a local chain, a federation with a process for each institution, rounds of real training, what they brought, and
/// the history verified by an outsider. The institutions know nothing of each other but the chain and the content endpoints.
/// </summary>
internal sealed class DemoRun(DemoOptions options, IAnsiConsole console, TimeProvider time)
{
    /// <summary>How the program is called from a clone.</summary>
    private const string Run = "dotnet run --project src/Node --";
    private const int MaxTestRecords = 32;

    private readonly DemoScreen _screen = new(console, time);
    private readonly Dictionary<string, double> _seconds = new(StringComparer.Ordinal);

    public async Task<DemoReport> RunAsync(CancellationToken cancellationToken)
    {
        _screen.Title("Setting up");
        var root = RepositoryRoot.Find();
        var model = BaseModel.Open(options.Model ?? BaseModel.Own);
        var home = new DemoHome(options.Home);
        var files = DataFiles(home);
        var prepared = Prepare(files, model);
        var say = new Progress(_screen.Say);
        await NpmPackages.EnsureAsync(root, say, cancellationToken);
        await using var chain = await AnvilChain.StartAsync(new AnvilOptions { RepositoryRoot = root, StateFile = home.ChainState }, cancellationToken);
        _screen.Say($"local chain at {chain.RpcUrl}");

        var training = DemoDefaults.Training;
        var plan = await FoundingPolicy.CreateAsync(
            model, DemoDefaults.Adapter, SeedOf(options.Seed), training.Steps, DemoDefaults.Params(options.Rounds), cancellationToken);
        using var http = new HttpClient();
        var client = new ChainClient(http, chain.RpcUrl, DemoDefaults.Chain, time);
        var setup = new DemoSetup(client, home, plan, training, options.Seed, time);
        var members = await setup.FoundAsync(files, model, _screen.Say, cancellationToken);
        _seconds["setup"] = Math.Round(_screen.Elapsed, 3);

        _screen.Title($"{options.Rounds} rounds");
        var log = new RoundLog();
        var reader = new FederationReader(client, setup.Federation, setup.DeploymentBlock, time);
        var began = time.GetUtcNow();
        var events = Channel.CreateUnbounded<PeerEvent>(new UnboundedChannelOptions { SingleReader = true });
        var peers = new List<PeerProcess>();
        AuditReport audit;
        EvaluationReport? evaluation = null;
        try
        {
            foreach (var member in members)
            {
                peers.Add(PeerProcess.Start(member.Home, home.PassphraseFile, Path.Combine(home.Logs, $"{member.Name}.jsonl"), events.Writer));
            }

            _screen.Say($"{peers.Count} peers are starting, each a process of its own");
            await WatchAsync(events.Reader, members, reader, log, cancellationToken);
            _seconds["rounds"] = Math.Round(_screen.Elapsed - _seconds["setup"], 3);
            await reader.ReadAsync(cancellationToken);

            _screen.Title("What it brought");
            evaluation = Evaluate(reader.State, home, members, prepared, model, plan, training, cancellationToken);
            if (evaluation is not null)
            {
                _screen.Show(evaluation);
            }

            _seconds["evaluation"] = Math.Round(_screen.Elapsed - _seconds["setup"] - _seconds["rounds"], 3);

            _screen.Title("The history, verified by an outsider");
            audit = await Auditor.RunAsync(client, new AuditRequest { Federation = setup.Federation, AllowPrivate = true }, time, cancellationToken);
            _screen.Show(audit);
        }
        finally
        {
            foreach (var peer in peers)
            {
                await peer.DisposeAsync();
            }
        }

        _seconds["total"] = Math.Round(_screen.Elapsed, 3);
        GoOnByHand(home, setup, members);
        return new DemoReport
        {
            Data = options.Data ?? SpecialtyCorpora.Note,
            GeneratedData = options.Data is null,
            Model = model.Path,
            BaseModel = plan.Policy.BaseModel.ToString(),
            Seed = options.Seed,
            ChainId = setup.ChainId,
            Federation = setup.Federation.ToString(),
            Members = [.. members.Select((m, i) => new MemberReport(m.Id.Value, m.Name, m.Home, m.Holder.ToString(), m.Operator.ToString(), m.Endpoint, prepared[i].Train.Count, prepared[i].Test.Count, prepared[i].CutRecords))],
            Rounds = [.. reader.State.Rounds.Select(r => log.Report(r, log.EndOf(r.Id.Value - 1) ?? log.OpeningOf(r.Id.Value) ?? began))],
            Evaluation = evaluation,
            Verification = new VerificationReport(audit),
            Seconds = _seconds,
        };
    }

    /// <summary>Follows the members' reports and the chain until all rounds have ended.</summary>
    private async Task WatchAsync(
        ChannelReader<PeerEvent> events, IReadOnlyList<DemoMember> members, FederationReader reader, RoundLog log, CancellationToken cancellationToken)
    {
        var names = members.ToDictionary(m => m.Id.Value, m => m.Name);
        var shown = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var e in events.ReadAllAsync(cancellationToken))
        {
            log.Add(e);
            _screen.Show(e, names[e.Member]);
            if (e is PeerEvent.Training or PeerEvent.UpdateHeld)
            {
                continue;
            }

            await reader.ReadAsync(cancellationToken);
            foreach (var round in reader.State.Rounds)
            {
                ShowProgress(round, reader.Now, names, shown);
            }

            if (log.HasEnded((ulong)options.Rounds))
            {
                return;
            }
        }

        throw new UserErrorException($"All members have stopped before the rounds were over. Their logs lie in {new DemoHome(options.Home).Logs}.");
    }

    private void ShowProgress(RoundState round, ulong now, Dictionary<uint, string> names, HashSet<string> shown)
    {
        if (round.PhaseAt(now) is not Phase.Training && round.Submissions.Length > 0 && shown.Add($"closed {round.Id}"))
        {
            _screen.Say($"round {round.Id}: {round.Submissions.Length} of {round.Eligible} updates are in; beacon {DemoScreen.Short(round.Beacon.ToString())}; "
                + $"turns: {string.Join(", ", round.Turns.Select(t => names[round.Submissions[t].Member.Value]))}");
        }

        if (round.Winner is { } winner && shown.Add($"ended {round.Id}"))
        {
            _screen.Say($"round {round.Id}: finalised with {winner.Votes.Values.Count(v => v)} attestations; adapter {winner.Aggregate}");
        }
        else if (round.PhaseAt(now) is Phase.Aborted && shown.Add($"ended {round.Id}"))
        {
            _screen.Say($"round {round.Id}: aborted; the next starts from the same base");
        }
    }

    private IReadOnlyList<string> DataFiles(DemoHome home)
    {
        if (options.Data is { } folder)
        {
            var files = InstitutionFolder.Files(folder);
            var wanted = options.Members ?? Math.Min(files.Count, DemoOptions.MostMembers);
            return wanted <= files.Count && wanted >= 2 ? [.. files.Take(wanted)]
                : throw new UserErrorException($"A federation of {Math.Max(wanted, 2)} institutions needs as many files, but {folder} has {files.Count}. Add *.jsonl files, or ask for fewer --members (2 at least).");
        }

        var written = SpecialtyCorpora.WriteTo(home.Data, options.Seed, options.Members ?? DemoDefaults.Members);
        _screen.Say($"no --data given: {written.Count} specialties of {SpecialtyCorpora.Note}");
        return written;
    }

    private List<PreparedData> Prepare(IReadOnlyList<string> files, BaseModel model)
    {
        var tokenizer = TokenizerFolder.Load(model.Path);
        var context = DecoderConfig.Read(model.Path).ContextLength;
        var prepared = files.Select(f => PreparedData.From(InstitutionData.Load(f), tokenizer, context, DemoDefaults.Training.MaxValidationRecords, MaxTestRecords)).ToList();
        var cut = prepared.Sum(p => p.CutRecords);
        _screen.Say($"{prepared.Count} institutions, {prepared.Sum(p => p.Train.Count):N0} training records; {cut:N0} records are longer than the context of {context} tokens and were cut");
        return prepared;
    }

    private EvaluationReport? Evaluate(
        FederationState federation, DemoHome home, IReadOnlyList<DemoMember> members, List<PreparedData> prepared, BaseModel folder, FoundingPolicy plan, LocalTraining training, CancellationToken cancellationToken)
    {
        if (federation.Rounds.LastOrDefault(r => r.Winner is not null)?.Winner is not { } winner)
        {
            _screen.Say("no round was finalised, so there is no federated adapter to evaluate");
            return null;
        }

        using var model = CausalLanguageModel.Load(folder.Path, ComputeDevice.Cpu);
        var layout = model.LayoutFor(plan.Policy.Adapter);
        using var file = members.Select(m => HomeFolder.Open(m.Home).AdapterFile(winner.Aggregate)).Where(File.Exists).Select(File.OpenRead).First();
        var federated = AdapterFile.Read(file, file.Length, plan.Policy.Adapter.FractionBits, layout, out _);
        return new DemoEvaluation(model, prepared, plan.Policy, training, options.Rounds)
            .Run(federated, [.. members.Select(m => HomeFolder.Open(m.Home).Settings.Seed)], _screen.Say, cancellationToken);
    }

    private void GoOnByHand(DemoHome home, DemoSetup setup, IReadOnlyList<DemoMember> members)
    {
        _screen.Title("To go on by hand");
        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
            Everything is in {home.Path}; the passphrase of all keys in {home.PassphraseFile}.
              {Run} chain --home {home.Path} --port {DemoHome.DefaultPort}
              {Run} status --rpc http://127.0.0.1:{DemoHome.DefaultPort} --federation {setup.Federation}
              {Run} node --home {members[0].Home} --rpc http://127.0.0.1:{DemoHome.DefaultPort} --passphrase-file {home.PassphraseFile}
              {Run} verify --rpc http://127.0.0.1:{DemoHome.DefaultPort} --federation {setup.Federation} --store {string.Join(" --store ", members.Select(m => Path.Combine(m.Home, "store")))}
              {Run} generate --home {members[0].Home} --rpc http://127.0.0.1:{DemoHome.DefaultPort} --adapter round:latest "..."
            """));
    }

    private static Hash256 SeedOf(ulong seed) => new(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"fedchain/demo/{seed}"))));

    private sealed class Progress(Action<string> say) : IProgress<string>
    {
        public void Report(string value) => say(value);
    }
}
