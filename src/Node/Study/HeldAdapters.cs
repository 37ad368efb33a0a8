using FedChain.Learning;
using FedChain.Node.Training;
using FedChain.Protocol.Files;

namespace FedChain.Node.Study;

/// <summary>What the members of a simulated federation have on their models: the global adapter, and with some methods one of their own beside it.</summary>
internal sealed class HeldAdapters(CausalLanguageModel model, AdapterConfig config, ulong seed)
{
    private readonly AdapterLayout _layout = model.LayoutFor(config);
    private readonly Dictionary<string, Adapter> _own = [];

    /// <summary>Puts the global adapter on the model, and a member's own beside it.</summary>
    /// <param name="global">The global adapter.</param>
    /// <param name="owner">Whose own; nobody's if null.</param>
    public void Load(Adapter global, string? owner = null)
    {
        if (owner is null)
        {
            model.AttachAdapter(config, global);
            return;
        }

        var own = _own.TryGetValue(owner, out var trained) ? trained
            : Adapter.First(_layout, StudySeed.Hash(seed, $"{owner}/own"), config.FractionBits); // B = 0: it does nothing yet
        var pair = AdapterPair.ConfigOf(config);
        model.AttachAdapter(pair, AdapterPair.Join(global, own, model.LayoutFor(pair)));
    }

    /// <summary>The shared part of what a member has trained; its own stays here.</summary>
    /// <param name="owner">As it was loaded.</param>
    public Adapter Take(string? owner)
    {
        if (owner is null)
        {
            return model.ExportAdapter();
        }

        (var shared, _own[owner]) = AdapterPair.Split(model.ExportAdapter(), _layout);
        return shared;
    }
}
