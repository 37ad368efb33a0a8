using System.CommandLine;
using System.Security.Cryptography;
using FedChain.Learning.Generation;

namespace FedChain.Node.Cli;

/// <summary>How the tokens of an answer are chosen.</summary>
internal sealed class SamplingOptions
{
    private readonly Option<int> _tokens;
    private readonly Option<double> _temperature = new("--temperature")
    {
        Description = "Sampling: 0 always takes the most probable token; about 0.7 varies, 1 draws by the model's own probabilities.",
        HelpName = "NUMBER",
    };

    private readonly Option<int> _topK = new("--top-k") { Description = "Sampling: among so many of the most probable tokens only; 0 for all.", HelpName = "NUMBER" };
    private readonly Option<double> _topP = new("--top-p")
    {
        Description = "Sampling: among the most probable tokens only that together have this probability, above 0 to 1.",
        HelpName = "NUMBER",
        DefaultValueFactory = _ => 1,
    };

    private readonly Option<ulong?> _seed = new("--seed") { Description = "Sampling: gives the same text again on the same machine; another each time if not given.", HelpName = "NUMBER" };

    /// <param name="tokens">The most new tokens if not given.</param>
    public SamplingOptions(Command command, int tokens)
    {
        _tokens = new("--max-tokens") { Description = "The most new tokens of an answer.", HelpName = "NUMBER", DefaultValueFactory = _ => tokens };
        foreach (var option in new Option[] { _tokens, _temperature, _topK, _topP, _seed })
        {
            command.Add(option);
        }
    }

    /// <exception cref="ArgumentException">A value out of range; the message says which.</exception>
    public GenerationOptions Read(ParseResult result)
    {
        var options = new GenerationOptions
        {
            MaxTokens = result.GetValue(_tokens),
            Temperature = result.GetValue(_temperature),
            TopK = result.GetValue(_topK),
            TopP = result.GetValue(_topP),
            Seed = result.GetValue(_seed) ?? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))),
        };
        GenerationOptions.Validate(options);
        return options;
    }
}
