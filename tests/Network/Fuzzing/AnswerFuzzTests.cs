using System.Text;
using FedChain.Network.Chain;
using FedChain.Network.Content;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Tests;

namespace FedChain.Network.Tests.Fuzzing;

/// <summary>What a node of the chain, and another member's endpoint, may answer.</summary>
public sealed class AnswerFuzzTests
{
    private const string Hash = "\"0x1111111111111111111111111111111111111111111111111111111111111111\"";
    private const string Account = "\"0x5fbdb2315678afecb367f032d93f642f64180aa3\"";
    private const string Block = $$"""{"number":"0x5","hash":{{Hash}},"parentHash":{{Hash}},"timestamp":"0x65","baseFeePerGas":"0x7"}""";
    private const string Log = $$"""{"address":{{Account}},"topics":[{{Hash}}],"data":"0x00","blockNumber":"0x5","blockHash":{{Hash}},"transactionHash":{{Hash}},"logIndex":"0x0"}""";

    private static readonly Hash256 Transaction = Hash256.Parse(Hash.Trim('"'));
    private static readonly Address Someone = Address.Parse(Account.Trim('"'));

    /// <summary>An error that is none, under no id.</summary>
    private static readonly string[] ErrorRegressions =
        ["7b226a736f6e727063223a22322e30222c226964223a6e756c6c2c22726573756c74223a22307831222c226572726f72223a6e756c6c7d"];

    private static readonly string[] Regressions =
    [
        "7b226964223a312c22726573756c74223a225c7564383030227d", // a text that is half a surrogate pair
        "7b226964223a312c226572726f72223a7b22636f6465223a332c226d65735c75643830306765223a227265766572746564227d7d", // a field's name that is
        "7b226964223a312c22726573756c74223a5b5d7d", // a list where an object should be
        "7b226964223a312c22726573756c74223a7b226f6c64657374426c6f636b223a22307834222c2262617365466565506572476173223a5b5d2c22726577617264223a5b5b5d5d7d7d", // no tip of a block
    ];

    /// <summary>What is asked, and what a node answers to it.</summary>
    private static readonly (Func<ChainClient, Task> Ask, string Answer)[] Questions =
    [
        (c => c.GetChainIdAsync(), "\"0x7a69\""),
        (c => c.GetBlockAsync(BlockTag.Latest), Block),
        (c => c.GetTimeAsync(BlockTag.Pending), Block),
        (c => c.GetBalanceAsync(Someone), "\"0xde0b6b3a7640000\""),
        (c => c.GetCodeAsync(Someone), "\"0x6001\""),
        (c => c.GetReceiptAsync(Transaction), $$"""{"transactionHash":{{Hash}},"blockNumber":"0x5","blockHash":{{Hash}},"status":"0x1","gasUsed":"0x5208","effectiveGasPrice":"0x7","contractAddress":null,"logs":[{{Log}}]}"""),
        (c => c.GetTransactionAsync(Transaction), $$"""{"from":{{Account}},"to":{{Account}},"nonce":"0x1","input":"0x"}"""),
        (c => c.GetFeeHistoryAsync(1, 50), """{"oldestBlock":"0x4","baseFeePerGas":["0x7","0x8"],"reward":[["0x1"]]}"""),
        (c => c.GetLogsAsync([Someone], 5, 5), $"[{Log}]"),
        (c => c.CallAsync(Someone, RoundsAbi.CurrentRound, []), "\"0x" + new string('0', 64 * 22) + "\""),
        (c => c.SendRawTransactionAsync(new byte[3]), Hash),
    ];

    [Fact]
    public void A_nodes_answer_is_read_or_refused()
    {
        foreach (var (ask, answer) in Questions)
        {
            using var node = new Answering();
            using var http = new HttpClient(node);
            Fuzzer.RunAsync(
                [.. Enveloped(answer).Select(Encoding.UTF8.GetBytes)],
                input =>
                {
                    node.Answer = input;
                    var client = new ChainClient(http, new Uri("http://node/"), new ChainOptions { Retries = 0 }); // each counts its requests from 1 on
                    return ask(client);
                },
                e => e is ChainException, perByte: 512, constant: 1 << 19, Regressions); // the buffer that it is read into, and what HttpClient takes
        }

        static IEnumerable<string> Enveloped(string result)
        {
            yield return $$"""{"jsonrpc":"2.0","id":1,"result":{{result}}}""";
            yield return $$"""[{"jsonrpc":"2.0","id":1,"result":{{result}}}]""";
        }
    }

    [Fact]
    public void A_nodes_error_is_read_or_refused()
    {
        using var node = new Answering();
        using var http = new HttpClient(node);
        Fuzzer.RunAsync(
            [.. ((string[])[
                """{"jsonrpc":"2.0","id":1,"result":"0x1"}""",
                """{"jsonrpc":"2.0","id":1,"result":"0x1","error":null}"""]).Select(Encoding.UTF8.GetBytes)],
            AskAsync, e => e is ChainException, perByte: 512, constant: 1 << 19, ErrorRegressions);
        Fuzzer.RunAsync(
            [.. ((string[])[
                """{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"execution reverted","data":"0x08c379a0"}}""",
                """{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"reverted \u00e9","data":{"data":"0x4e487b71"}}}""",
                """{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"limit exceeded"}}"""]).Select(Encoding.UTF8.GetBytes)],
            async input =>
            {
                try
                {
                    await AskAsync(input);
                }
                catch (ChainException)
                {
                    // also the valid ones are errors
                }
            },
            _ => false, perByte: 512, constant: 1 << 19, Regressions);

        Task AskAsync(byte[] input)
        {
            node.Answer = input;
            return new ChainClient(http, new Uri("http://node/"), new ChainOptions { Retries = 0 }).GetBlockNumberAsync();
        }
    }

    [Fact]
    public void A_members_view_of_endpoints_is_read_or_refused() => Fuzzer.Run(
        [Encoding.UTF8.GetBytes("""{"endpoints":[{"url":"https://a.example","ok":true,"detail":""},{"url":"http://b.example","ok":false,"detail":"unreachable"}]}""")],
        input => EndpointAnswer.Read(input), e => e is InvalidDataException, perByte: 256, constant: 65_536);

    private sealed class Answering : HttpMessageHandler
    {
        public byte[] Answer { get; set; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage { Content = new ByteArrayContent(Answer) });
    }
}
