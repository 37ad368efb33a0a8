using System.CommandLine;
using FedChain.Node.Governance;

namespace FedChain.Node.Cli;

/// <summary>What a policy says of updates and of how they become an adapter, as options of the commands that make one.</summary>
internal sealed class UpdateOptions
{
    private readonly Option<string?> _schedule = new("--schedule") { Description = "The factors to train, round after round: A, B or AB, separated by commas.", HelpName = "LIST" };

    private readonly Option<string?> _rule = new("--rule")
    {
        Description = "How updates become an adapter: 'mean,weights=uniform', 'fair-mean,by=gain,power=1,weights=uniform', 'clipped-mean,norm=median', 'median', "
            + "'trimmed-mean,trim=1', 'multi-krum,faulty=1,selected=3', 'bucketed-median,size=2', or a rule's JSON.",
        HelpName = "RULE",
    };

    private readonly Option<int?> _momentum = new("--momentum") { Description = "Server momentum in thousandths, 1 to 990; 0 for none.", HelpName = "BETA" };

    private readonly Option<string?> _encoding = new("--encoding") { Description = "How updates are written: int32, int16 or int8.", HelpName = "NAME" };

    private readonly Option<long?> _weightCap = new("--weight-cap") { Description = "The most samples that an update may claim as its weight, 1 to 1048576.", HelpName = "NUMBER" };

    public IReadOnlyList<Option> All => [_schedule, _rule, _momentum, _encoding, _weightCap];

    public PolicyEdit ReadFrom(ParseResult result) => new()
    {
        Schedule = result.GetValue(_schedule),
        Rule = result.GetValue(_rule),
        Momentum = result.GetValue(_momentum),
        Encoding = result.GetValue(_encoding),
        WeightCap = result.GetValue(_weightCap),
    };
}
