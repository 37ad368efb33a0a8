using FedChain.Learning;
using FedChain.Learning.Tokenization;
using FedChain.Node.Chain;
using FedChain.Node.Homes;

namespace FedChain.Node.Models;

/// <summary>The home's base model with the adapter that was asked for.</summary>
internal sealed class LoadedModel : IDisposable
{
    private LoadedModel(CausalLanguageModel model, ITokenizer tokenizer, string name) => (Model, Tokenizer, Name) = (model, tokenizer, name);

    public CausalLanguageModel Model { get; }

    public ITokenizer Tokenizer { get; }

    /// <summary>What is loaded, for people.</summary>
    public string Name { get; }

    public static async Task<LoadedModel> OpenAsync(HomeFolder home, string? rpc, string adapter, string device, CancellationToken cancellationToken)
    {
        var reference = AdapterReference.Parse(adapter);
        var folder = BaseModel.Open(home.Settings.Model ?? BaseModel.Own);
        var model = CausalLanguageModel.Load(folder.Path, DeviceOf(device));
        try
        {
            var name = $"base model {folder.Path}";
            if (!reference.None)
            {
                await using var session = await ChainSession.OpenAsync(home, rpc, federation: null, TimeProvider.System, cancellationToken);
                if (reference.Read(home, session.Reader.State, model.LayoutFor) is var (values, policy))
                {
                    model.AttachAdapter(policy.Adapter, values);
                    name = $"{adapter} on {name}";
                }
            }

            return new LoadedModel(model, TokenizerFolder.Load(folder.Path), name);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public static ComputeDevice DeviceOf(string text) => text switch
    {
        "auto" => ComputeDevice.Auto,
        "cpu" => ComputeDevice.Cpu,
        "cuda" => ComputeDevice.Cuda,
        _ => throw new UserErrorException($"--device takes auto, cpu or cuda; got '{text}'."),
    };

    public void Dispose() => Model.Dispose();
}
