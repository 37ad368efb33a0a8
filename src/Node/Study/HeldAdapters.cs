using FedChain.Learning;
using FedChain.Protocol.Files;

namespace FedChain.Node.Study;

/// <summary>What the members of a simulated federation have on their models: the global adapter, and with some methods one of their own beside it.</summary>
internal sealed class HeldAdapters(CausalLanguageModel model, AdapterConfig config, StudyMethod.Federated method, ulong seed)
{
    private readonly AdapterLayout _layout = model.LayoutFor(config);
    private readonly AdapterConfig _attached = method.HasOwnBeside ? AdapterPair.ConfigOf(config) : config;
    private readonly Dictionary<string, Adapter> _own = [];

    /// <summary>Puts the global adapter on the model, alone.</summary>
    public void Attach(Adapter global) => model.AttachAdapter(_attached, Beside(global, owner: null));

    /// <summary>Sets the attached adapter to the global one, and to a member's own beside it.</summary>
    /// <param name="global">The global adapter.</param>
    /// <param name="owner">Whose own; nobody's if null.</param>
    public void Load(Adapter global, string? owner = null) => model.ImportAdapter(Beside(global, owner));

    /// <summary>The shared part of what a member has trained; its own stays here.</summary>
    public Adapter Take(string owner)
    {
        if (!method.HasOwnBeside)
        {
            return model.ExportAdapter();
        }

        (var shared, _own[owner]) = AdapterPair.Split(model.ExportAdapter(), _layout);
        return shared;
    }

    private Adapter Beside(Adapter global, string? owner)
    {
        if (!method.HasOwnBeside)
        {
            return global;
        }

        var own = owner is not null && _own.TryGetValue(owner, out var trained) ? trained
            : Adapter.First(_layout, StudySeed.Hash(seed, $"{owner}/own"), config.FractionBits); // B = 0: it does nothing yet
        return AdapterPair.Join(global, own, model.LayoutFor(_attached));
    }
}
