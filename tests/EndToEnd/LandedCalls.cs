using System.Net.Http.Json;
using System.Text.Json;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.EndToEnd.Tests;

/// <summary>What the members' peers sent to Rounds and what landed, read from the blocks themselves: the log doesn't show what the contract refused.</summary>
internal sealed class LandedCalls
{
    private static readonly Dictionary<string, (string Name, int Words)> Once = new[] { (RoundsAbi.Submit, 1), (RoundsAbi.Publish, 2), (RoundsAbi.Attest, 2) }
        .ToDictionary(f => f.Item1.Selector.ToString(), f => (f.Item1.Name, f.Item2), StringComparer.Ordinal);

    private readonly List<string> _calls = [];

    public int Count => _calls.Count;

    /// <summary>What somebody did more than once in a round (and turn): sender, function, round, turn. Opening a round has no argument that could tell.</summary>
    public IReadOnlyList<string> Repeated => [.. _calls.GroupBy(c => c, StringComparer.Ordinal).Where(g => g.Count() > 1).Select(g => $"{g.Key}, {g.Count()} times")];

    public static async Task<LandedCalls> ReadAsync(Uri rpc, CancellationToken cancellation)
    {
        using var http = new HttpClient();
        var landed = new LandedCalls();
        var head = Convert.ToInt64((await AskAsync("eth_blockNumber")).GetString(), 16);
        for (var number = 0L; number <= head; number++)
        {
            var block = await AskAsync("eth_getBlockByNumber", $"0x{number:x}", true);
            foreach (var transaction in block.GetProperty("transactions").EnumerateArray())
            {
                var input = transaction.GetProperty("input").GetString()!;
                if (input.Length >= 10 && Once.TryGetValue(input[..10], out var function))
                {
                    var words = Enumerable.Range(0, function.Words).Select(i => Convert.ToUInt64(input[(10 + (64 * i) + 48)..(10 + (64 * (i + 1)))], 16));
                    landed._calls.Add($"{transaction.GetProperty("from").GetString()} {function.Name} {string.Join(' ', words)}");
                }
            }
        }

        return landed;

        async Task<JsonElement> AskAsync(string method, params object[] parameters)
        {
            using var response = await http.PostAsJsonAsync(rpc, new { jsonrpc = "2.0", id = 1, method, @params = parameters }, cancellation);
            return (await response.Content.ReadFromJsonAsync<JsonElement>(cancellation)).GetProperty("result");
        }
    }
}
