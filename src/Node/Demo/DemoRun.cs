using System.Globalization;
using System.Security.Cryptography;
using FedChain.Learning;
using FedChain.Learning.Data;
using FedChain.Learning.Data.Generated;
using FedChain.Network.Chain;
using FedChain.Node.Audit;
using FedChain.Node.Chain;
using FedChain.Node.Governance;
using FedChain.Node.Homes;
using FedChain.Node.LocalChain;
using FedChain.Node.Models;
using FedChain.Node.Training;
using FedChain.Protocol;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Files;
using FedChain.Protocol.Governance;
using FedChain.Protocol.Rounds;
using Spectre.Console;

namespace FedChain.Node.Demo;

/// <summary>
/// The whole main job on one machine: a local chain, a federation with a process for each institution, rounds of real training, a newcomer and an auditor
/// admitted by vote, what it brought, and the history verified by outsider, member and auditor. The institutions know nothing of each other but the
/// chain and the content endpoints.
/// </summary>
internal sealed class DemoRun(DemoOptions options, IAnsiConsole console, TimeProvider time)
{
    /// <summary>How the program is called from a clone.</summary>
    private const string Run = "dotnet run --project src/Node --";

    private readonly DemoScreen _screen = new(console, time);
    private readonly Dictionary<string, double> _seconds = new(StringComparer.Ordinal);

    public async Task<DemoReport> RunAsync(CancellationToken cancellationToken)
    {
        _screen.Title("Setting up");
        var root = RepositoryRoot.Find();
        var model = BaseModel.Open(options.Model ?? BaseModel.Own);
        var home = new DemoHome(options.Home);
        var files = DemoData.Files(options, home, _screen.Say);
        var prepared = DemoData.Prepare(files, model, _screen.Say);
        await NpmPackages.EnsureAsync(root, new Progress(_screen.Say), cancellationToken);
        await using var chain = await AnvilChain.StartAsync(new AnvilOptions { RepositoryRoot = root, StateFile = home.ChainState }, cancellationToken);
        _screen.Say($"local chain at {chain.RpcUrl}");

        var newcomers = files.Count >= 3 && options.Rounds >= 2 ? 1 : 0;
        var founding = DemoDefaults.Params(options.Rounds - newcomers); // then it rests, until a vote lets it go on
        var training = DemoDefaults.Training;
        var plan = await FoundingPolicy.CreateAsync(model, DemoDefaults.Adapter, SeedOf(options.Seed), training.Steps, founding, cancellationToken);
        using var http = new HttpClient();
        var client = new ChainClient(http, chain.RpcUrl, DemoDefaults.Chain, time);
        var setup = new DemoSetup(client, home, plan, training, options.Seed, time)
        {
            Decide = usual => usual with { VotingPeriod = (uint)DemoDefaults.VotingPeriod.TotalSeconds, ExecutionDelay = 1 },
        };
        var members = (await setup.FoundAsync([.. files.SkipLast(newcomers)], model, _screen.Say, cancellationToken)).ToList();
        Lap("setup");

        _screen.Title($"{founding.Rounds} rounds of {members.Count} institutions");
        var reader = new FederationReader(client, setup.Federation, setup.DeploymentBlock, time);
        var votes = new DemoVotes(client, reader, setup, _screen, (by, cancellation) => chain.AdvanceAsync(http, by, cancellation), time);
        var began = time.GetUtcNow();
        await using var watch = new DemoWatch(home, reader, _screen);
        members.ForEach(watch.Start);
        _screen.Say($"{members.Count} peers are starting, each a process of its own");
        await watch.UntilEndOfAsync((int)founding.Rounds, cancellationToken);
        Lap("rounds");
        DateTimeOffset? resumed = null;

        if (newcomers > 0)
        {
            _screen.Title("Another institution is admitted by vote");
            members.Add(await AdmitAsync(files[^1], model, setup, reader, votes, members, cancellationToken));
            Lap("admission");

            _screen.Title($"A round of {members.Count} institutions");
            resumed = time.GetUtcNow();
            watch.Start(members[^1]);
            await watch.UntilEndOfAsync(options.Rounds, cancellationToken);
            Lap("roundWithNewcomer");
        }

        _screen.Title("An auditor is granted access by vote");
        using var auditor = AgeIdentity.Generate(AgeKeyKind.MlKem768X25519);
        AtomicFile.Write(home.AuditorKeyFile, System.Text.Encoding.ASCII.GetBytes($"# public key: {auditor.Recipient}\n{auditor.ExportSecretKey()}\n"), secret: true);
        using var auditorKey = PrivateKey.Create();
        await votes.DecideAsync(
            [new ProposedAction.GrantAuditor(auditorKey.Address, auditor.Recipient.ToString())], members[1], members, cancellationToken);
        await reader.ReadAsync(cancellationToken);
        Lap("auditor");

        _screen.Title("What it brought");
        var evaluation = Evaluate(reader.State, members, prepared, model, plan, training, cancellationToken);
        if (evaluation is not null)
        {
            _screen.Show(evaluation);
        }

        Lap("evaluation");
        var shown = new HashSet<(string, ulong, CheckResult)>();
        var request = new AuditRequest { Federation = setup.Federation, AllowPrivate = true };
        var outsider = await VerifyAsync("an outsider, with nothing but the chain", request, cancellationToken);
        using var memberKeys = HomeFolder.Open(members[0].Home).UnlockPeerKeys(setup.Passphrase);
        var byMember = await VerifyAsync(
            $"a member: {members[0].Name} opens and recomputes every aggregate", request with { Key = AuditKey.OfMember(reader.State, memberKeys), Stores = [HomeFolder.Open(members[0].Home).StorePath] }, cancellationToken);
        var byAuditor = await VerifyAsync(
            "the auditor: what was sealed before its time, members seal anew for it", request with { Key = AuditKey.OfIdentities(reader.State, [auditor], auditorKey.Address) }, cancellationToken);
        Lap("verification");
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
            Members = [.. members.Zip(prepared, (m, data) => new MemberReport(
                m.Id.Value, m.Id.Value <= (uint)(members.Count - newcomers), m.Name, m.Home, m.Holder.ToString(), m.Operator.ToString(), m.Endpoint, data.Train.Count, data.Test.Count, data.CutRecords))],
            Rounds = [.. reader.State.Rounds.Select(r => watch.Log.Report(r, BeginningOf(r.Id.Value)))],
            Decisions = votes.Decisions,
            Evaluation = evaluation,
            Verification = new VerificationReport(outsider, byMember, byAuditor),
            Seconds = _seconds,
        };

        async Task<AuditReport> VerifyAsync(string by, AuditRequest asked, CancellationToken cancellation)
        {
            _screen.Title($"The history, verified by {by}");
            var report = await Auditor.RunAsync(client, asked, time, cancellation);
            _screen.Show(report with { Checks = [.. report.Checks.Where(c => !shown.Contains((c.Name, c.Round, c.Result)))] });
            _screen.Say($"{report.Held} held, {report.Failed} failed, {report.Unavailable} unavailable{(shown.Count > 0 ? " in all; what an outsider sees as well is left out here" : "")}");
            if (asked.Key is null)
            {
                shown.UnionWith(report.Checks.Select(c => (c.Name, c.Round, c.Result)));
            }

            return report;
        }

        DateTimeOffset BeginningOf(ulong round) =>
            (round == (ulong)options.Rounds ? resumed : null) ?? watch.Log.EndOf(round - 1) ?? watch.Log.OpeningOf(round) ?? began;
    }

    /// <summary>
    /// It applies with its own keys; the others admit exactly that application and let the federation, which rests, run another round. What went before
    /// its time was sealed without it: the base of its first round it gets from a member, sealed anew.
    /// </summary>
    private async Task<DemoMember> AdmitAsync(
        string dataFile, BaseModel model, DemoSetup setup, FederationReader reader, DemoVotes votes, List<DemoMember> members, CancellationToken cancellationToken)
    {
        var folder = await setup.MakeApplicantAsync(dataFile, model, cancellationToken);
        Applied applied;
        await using (var session = await ChainSession.OpenAsync(folder, rpc: null, federation: null, time, cancellationToken))
        {
            using var holder = folder.UnlockHolder(setup.Passphrase);
            using var keys = folder.UnlockPeerKeys(setup.Passphrase);
            var application = await Applying.PrepareAsync(session, folder, holder.Address, keys, again: false, cancellationToken);
            using var sender = new TransactionSender(session.Client, holder, session.ChainId);
            var receipt = await sender.SendOrThrowAsync(application.Call, cancellationToken);
            applied = Applying.Read(receipt);
            _screen.Say(folder.Settings.Name, $"applies for a seat, with keys of its own: application {DemoScreen.Short(applied.Application.ToString())} ({receipt.GasUsed:N0} gas)");
        }

        await reader.ReadAsync(cancellationToken);
        var policy = reader.State.LatestPolicy!;
        await votes.DecideAsync(
            [
                Proposing.Admit(reader.State, applied.Id, anyway: false),
                new ProposedAction.SetPolicy(policy.Policy, policy.Json, policy.Params with { Rounds = 1 }, policy.Genesis),
            ],
            members[0], members, cancellationToken);
        return setup.MemberOf(folder, applied.Id);
    }

    private EvaluationReport? Evaluate(
        FederationState federation, IReadOnlyList<DemoMember> members, IReadOnlyList<PreparedData> prepared, BaseModel folder, FoundingPolicy plan, LocalTraining training, CancellationToken cancellationToken)
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

    private void GoOnByHand(DemoHome home, DemoSetup setup, List<DemoMember> members)
    {
        var rpc = $"--rpc http://127.0.0.1:{DemoHome.DefaultPort}";
        var federation = $"{rpc} --federation {setup.Federation}";
        var first = $"--home {members[0].Home} {rpc}";
        _screen.Title("To go on by hand");
        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
            Everything is in {home.Path}; the passphrase of all keys in {home.PassphraseFile}.
              {Run} chain --home {home.Path} --port {DemoHome.DefaultPort}
              {Run} status {federation}
              {Run} proposals {federation} --all
              {Run} node {first} --passphrase-file {home.PassphraseFile}
              {Run} verify {federation} --store {string.Join(" --store ", members.Select(m => Path.Combine(m.Home, "store")))}
              {Run} generate {first} --adapter round:latest "..."
              {Run} adapter export {first} --round latest fedchain-adapter
            """));
    }

    /// <summary>Notes the time since the last lap.</summary>
    private void Lap(string phase) => _seconds[phase] = Math.Round(_screen.Elapsed - _seconds.Values.Sum(), 3);

    private static Hash256 SeedOf(ulong seed) => new(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"fedchain/demo/{seed}"))));

    private sealed class Progress(Action<string> say) : IProgress<string>
    {
        public void Report(string value) => say(value);
    }
}
