using FedChain.Learning;
using FedChain.Learning.Lora;
using FedChain.Learning.Tokenization;
using FedChain.Node.Adapters;
using FedChain.Node.Homes;

namespace FedChain.Node.Models;

/// <summary>The home's base model with the adapter that was asked for.</summary>
internal sealed class LoadedModel : IDisposable
{
    private LoadedModel(CausalLanguageModel model, ITokenizer tokenizer, PeftFolder? adapter, string name) =>
        (Model, Tokenizer, Adapter, Name) = (model, tokenizer, adapter, name);

    public CausalLanguageModel Model { get; }

    public ITokenizer Tokenizer { get; }

    /// <summary>The adapter that <see cref="Model"/> has; null for the base model as it is.</summary>
    public PeftFolder? Adapter { get; }

    /// <summary>What is loaded, for people.</summary>
    public string Name { get; }

    /// <param name="adapter">See <see cref="AdapterReference"/>.</param>
    /// <param name="placement">Where the model runs.</param>
    /// <param name="passphrase">Of the home's keys; asked for only if the adapter has to be fetched.</param>
    public static async Task<LoadedModel> OpenAsync(HomeFolder home, IReadOnlyList<string>? rpc, string? adapter, ModelPlacement placement, Func<string> passphrase, CancellationToken cancellationToken)
    {
        var folder = BaseModel.Open(home.Settings.Model ?? BaseModel.Own);
        var tokenizer = TokenizerFolder.Load(folder.Path);
        var chosen = await ChosenAdapter.OpenAsync(home, rpc, adapter, passphrase, cancellationToken);
        chosen.Adapter?.RequireFit(folder.Path);
        var digest = chosen.BaseModel is null ? null : Task.Run(() => folder.DigestAsync(cancellationToken), cancellationToken); // while the weights are loaded
        var model = placement.Load(folder);
        try
        {
            if (chosen.Adapter is { } factors)
            {
                model.AttachAdapter(factors);
            }

            if (digest is not null)
            {
                chosen.RequireBase(folder, await digest);
            }

            return new LoadedModel(model, tokenizer, chosen.Adapter, $"{chosen.Name} on base model {folder.Path}");
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public void Dispose() => Model.Dispose();
}
