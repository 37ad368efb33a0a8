using FedChain.Node.Homes;
using FedChain.Protocol;

namespace FedChain.Node.Audit;

/// <summary>What to audit, and with what.</summary>
internal sealed record AuditRequest
{
    /// <summary>Address of Membership.</summary>
    public required Address Federation { get; init; }

    /// <summary>Folders of block stores on this machine, looked into besides the members' endpoints.</summary>
    public IReadOnlyList<string> Stores { get; init; } = [];

    /// <summary>Whether endpoints on private and loopback addresses are asked.</summary>
    public bool AllowPrivate { get; init; }

    /// <summary>Of the home that audits, whose members' token is sent to endpoints; null without one.</summary>
    public HomeSettings? Home { get; init; }

    /// <summary>Opens sealed files, so that every aggregate is recomputed; null to check what is public.</summary>
    public AuditKey? Key { get; init; }

    /// <summary>The first round to check.</summary>
    public ulong FromRound { get; init; } = 1;

    /// <summary>Is told what is being done, for audits that take long.</summary>
    public Action<string> Progress { get; init; } = _ => { };
}
