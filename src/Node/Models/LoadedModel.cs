using FedChain.Learning;
using FedChain.Learning.Tokenization;
using FedChain.Node.Adapters;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Models;

/// <summary>The home's base model with the adapter that was asked for.</summary>
internal sealed class LoadedModel : IDisposable
{
    private LoadedModel(CausalLanguageModel model, ITokenizer tokenizer, string name) => (Model, Tokenizer, Name) = (model, tokenizer, name);

    public CausalLanguageModel Model { get; }

    public ITokenizer Tokenizer { get; }

    /// <summary>What is loaded, for people.</summary>
    public string Name { get; }

    /// <param name="adapter">See <see cref="AdapterReference"/>.</param>
    /// <param name="placement">Where the model runs.</param>
    /// <param name="passphrase">Of the home's keys; asked for only if the adapter has to be fetched.</param>
    public static async Task<LoadedModel> OpenAsync(HomeFolder home, string? rpc, string? adapter, ModelPlacement placement, Func<string> passphrase, CancellationToken cancellationToken)
    {
        var reference = AdapterReference.Parse(adapter);
        var kept = KeptAdapter.Read(home);
        var folder = BaseModel.Open(home.Settings.Model ?? BaseModel.Own);
        var model = placement.Load(folder);
        try
        {
            var name = $"base model {folder.Path}";
            if (reference.IsBaseModel(kept))
            {
                name = $"{reference.Resolve(kept, FederationState.Empty).Name} on {name}";
            }
            else
            {
                await using var session = await ChainSession.OpenAsync(home, rpc, federation: null, TimeProvider.System, cancellationToken);
                var (round, chosen) = reference.Resolve(kept, session.Reader.State);
                var policy = PeerContext.PolicyOf(session.Reader.State, round!);
                await HomeAdapters.EnsureAsync(home, session, round!, passphrase, cancellationToken);
                model.AttachAdapter(policy.Adapter, HomeAdapters.Read(home, round!, policy, model.LayoutFor(policy.Adapter)));
                name = $"{chosen} on {name}";
            }

            return new LoadedModel(model, TokenizerFolder.Load(folder.Path), name);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public void Dispose() => Model.Dispose();
}
