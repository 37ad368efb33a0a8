using FedChain.Learning.Lora;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Models;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Adapters;

/// <summary>The adapter that a person asked for, read.</summary>
/// <param name="Name">For people.</param>
/// <param name="Adapter">Null for the base model as it is.</param>
/// <param name="BaseModel">Digest of the base model that it is for; null if nobody says.</param>
internal sealed record ChosenAdapter(string Name, PeftFolder? Adapter, Hash256? BaseModel)
{
    /// <param name="home">Null where only a PEFT folder can be meant.</param>
    /// <param name="rpc">Instead of the home's.</param>
    /// <param name="text">See <see cref="AdapterReference"/>.</param>
    /// <param name="passphrase">Of the home's keys; asked for only if the adapter has to be fetched.</param>
    /// <exception cref="UserErrorException">There is no such adapter, or it isn't to be had.</exception>
    public static async Task<ChosenAdapter> OpenAsync(HomeFolder? home, IReadOnlyList<string>? rpc, string? text, Func<string> passphrase, CancellationToken cancellationToken)
    {
        var reference = AdapterReference.Parse(text).Settle(home is null ? null : KeptAdapter.Read(home));
        if (reference.IsBaseModel)
        {
            return new(reference.Name, null, null);
        }

        if (reference is { IsOfRound: false, IsImported: false })
        {
            return new(reference.Name, PeftFolder.Read(reference.Text!), AdapterOrigin.BaseModelOf(reference.Text!));
        }

        if (home is null)
        {
            throw new UserErrorException("Whose adapter? Use --home DIR of the home that holds it, or --adapter with a PEFT folder.");
        }

        return reference.IsImported ? Imported(home, reference) : await OfRoundAsync(home, rpc, reference, passphrase, cancellationToken);
    }

    /// <exception cref="UserErrorException">The adapter is for another base model.</exception>
    public void RequireBase(BaseModel model, Hash256 digest)
    {
        if (BaseModel is { } expected && expected != digest)
        {
            throw new UserErrorException($"The adapter {Name} is for the base model with the digest {expected}; {model.Path} has {digest}. Get the files that it was trained on.");
        }
    }

    private static ChosenAdapter Imported(HomeFolder home, AdapterReference reference)
    {
        var imported = ImportedAdapter.Find(home, reference.Text!);
        return reference.KeptDigest is { } kept && kept != imported.Digest
            ? throw new UserErrorException($"The kept adapter is {kept}, but what was imported as '{imported.Name}' is {imported.Digest}. 'fedchain adapter keep' names one anew.")
            : new(reference.Name, PeftFolder.Read(imported.Folder), AdapterOrigin.BaseModelOf(imported.Folder));
    }

    private static async Task<ChosenAdapter> OfRoundAsync(HomeFolder home, IReadOnlyList<string>? rpc, AdapterReference reference, Func<string> passphrase, CancellationToken cancellationToken)
    {
        await using var session = await ChainSession.OpenAsync(home, rpc, federation: null, TimeProvider.System, cancellationToken);
        var (round, name) = reference.RoundIn(session.Reader.State);
        var policy = PeerContext.PolicyOf(session.Reader.State, round);
        await HomeAdapters.EnsureAsync(home, session, round, passphrase, cancellationToken);
        return new(name, ReadRound(home, round, policy), policy.BaseModel);
    }

    private static PeftFolder ReadRound(HomeFolder home, RoundState round, Policy policy)
    {
        var adapter = HomeAdapters.Read(home, round, policy, layout: null);
        var values = new float[adapter.Layout.Count];
        FixedPoint.Dequantize(adapter.Values, adapter.FractionBits, values);
        return new PeftFolder(policy.Adapter, adapter.Layout, values);
    }
}
