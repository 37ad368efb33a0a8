using System.CommandLine;
using System.Text;
using FedChain.Network.Content;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Identity;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Files;
using FedChain.Protocol.Identity;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Cli;

internal static class IdentityShowCommand
{
    public static Command Create()
    {
        var did = new Argument<string?>("did") { Description = $"The member's DID, {MemberDid.Scheme}CHAIN:MEMBERSHIP:MEMBER; instead of --federation and --member.", Arity = ArgumentArity.ZeroOrOne };
        var member = new Option<uint?>("--member") { Description = "The member's id; the home's own if not given.", HelpName = "ID" };
        var home = CommonOptions.Home(required: false);
        var rpc = CommonOptions.Rpc();
        var federation = CommonOptions.Federation();
        var allowPrivate = new Option<bool>("--allow-private-endpoints") { Description = "Ask also endpoints on private and loopback addresses which updates were included; the home's setting if there is one." };
        var json = new Option<bool>("--json") { Description = "Print the result of resolving the DID, with the W3C DID document, as canonical JSON." };
        var command = new Command("show", """
            Shows who a member is, from the chain alone: its keys, recipients, endpoints and model, and every update and global adapter linked to that model.

            Examples:
              fedchain identity show --home /srv/fedchain
              fedchain identity show --rpc https://rpc.example did:fedchain:1:0x5fbdb2315678afecb367f032d93f642f64180aa3:2 --json
            """)
        { did, member, home, rpc, federation, allowPrivate, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = IdentityCommand.OpenHome(result.GetValue(home));
            MemberDid? named = result.GetValue(did) is not { } text ? null
                : MemberDid.TryParse(text, out var parsed) ? parsed
                : throw new UserErrorException($"A member's DID has the form {MemberDid.Scheme}CHAIN:0xMEMBERSHIP:MEMBER, in lowercase and without leading zeros; got '{text}'.");
            if (named is { } one && result.GetValue(member) is { } other && other != one.Member.Value)
            {
                throw new UserErrorException($"{one} is member {one.Member}, but --member names {other}. Give one of them.");
            }

            await using var session = await IdentityCommand.OpenAsync(folder, result.GetValue(rpc), result.GetValue(federation), named, cancellationToken);
            var id = named?.Member ?? IdentityCommand.MemberOf(result.GetValue(member), folder, session);
            var history = await MemberResolver.HistoryAsync(session, id, cancellationToken);
            if (result.GetValue(json))
            {
                Console.WriteLine(Encoding.UTF8.GetString(CanonicalJson.Serialize(MemberResolver.Resolve(session, history))));
                return;
            }

            Write(session, history);
            var options = ContentAccess.FetcherOf(folder?.Settings, result.GetValue(allowPrivate));
            using var store = folder is null ? null : HomeStore.Open(folder);
            using var fetcher = new ContentFetcher(options, TimeProvider.System, store as KuboStore);
            await WriteLinksAsync(session, id, new ModelLinks(session, store is null ? [] : [store], fetcher), cancellationToken);
        });
        return command;
    }

    private static void Write(ChainSession session, MemberHistory history)
    {
        var (id, state) = (history.Member, session.Reader.State);
        Console.WriteLine(new MemberDid(session.ChainId, session.Federation, id));
        Console.WriteLine($"created    block {history.Created.Number}, {StatusCommand.Time(history.Created.Time)}");
        Console.WriteLine($"updated    block {history.Updated.Number}, {StatusCommand.Time(history.Updated.Time)}");
        if (!state.Seats.TryGetValue(id, out var seat))
        {
            Console.WriteLine("seat       gone: no key speaks for this member any more");
        }
        else
        {
            Console.WriteLine($"holder     {seat.Holder}");
            Console.WriteLine($"operator   {seat.Operator}");
        }

        var latest = history.Profiles.LastOrDefault()?.Profile;
        if (Sealing.ProfileOf(latest) is not { } profile)
        {
            Console.WriteLine("profile    can't be read, so the member has no recipients, no endpoints and no model");
            return;
        }

        Console.WriteLine($"name       {profile.Name}");
        foreach (var recipient in profile.Age)
        {
            Console.WriteLine($"recipient  {(recipient.Length > 80 ? recipient[..64] + "…" : recipient)}");
        }

        foreach (var endpoint in profile.Endpoints)
        {
            Console.WriteLine($"endpoint   {endpoint}");
        }

        var model = ModelIdentity.Of(session.ChainId, session.Federation, id, profile);
        Console.WriteLine($"model      {model.Id}");
        Console.WriteLine($"  base     {model.BaseModel}");
        Console.WriteLine($"  adapter  {model.AdapterConfig}");
    }

    /// <summary>Every update of the member, and what became of it.</summary>
    private static async Task WriteLinksAsync(ChainSession session, MemberId id, ModelLinks links, CancellationToken cancellationToken)
    {
        var rounds = session.Reader.State.Rounds.Where(r => r.SubmissionOf(id) is not null).ToList();
        Console.WriteLine(rounds.Count == 0 ? "updates    none yet" : $"updates    {rounds.Count}");
        foreach (var round in rounds)
        {
            var submission = round.SubmissionOf(id)!;
            Console.WriteLine($"  round {round.Id}: {Cid.RawOf(submission.Manifest)} of model {links.ModelOf(round, id)?.ToString() ?? "(none: the profile could not be read)"}");
            Console.WriteLine($"    {await FateAsync(round, submission)}");
        }

        async Task<string> FateAsync(RoundState round, Submission submission)
        {
            if (round.Winner is not { } winner)
            {
                return round.PhaseAt(session.Reader.Now) is Phase.Aborted ? "the round was aborted, so it entered no global adapter" : "the round is still running";
            }

            var (included, detail) = await links.IncludedAsync(round, cancellationToken);
            return included is null ? $"whether it entered the global adapter {winner.Aggregate} is unavailable: {detail}"
                : included.Contains(submission) ? $"included in the global adapter {winner.Aggregate}, with {included.Count - 1} others"
                : $"not included in the global adapter {winner.Aggregate}, since too few held it";
        }
    }
}
