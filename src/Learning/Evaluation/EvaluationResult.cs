using FedChain.Protocol.Numerics;

namespace FedChain.Learning.Evaluation;

/// <summary>How well a model predicts the responses of a set of examples.</summary>
/// <param name="SummedNats">Cross entropy of all response tokens, in nats.</param>
/// <param name="Tokens">Response tokens.</param>
/// <param name="ResponseBytes">UTF-8 bytes of the responses.</param>
public sealed record EvaluationResult(double SummedNats, long Tokens, long ResponseBytes)
{
    /// <summary>Mean loss in nats per response token.</summary>
    public double NatsPerToken => SummedNats / Tokens;

    /// <summary>The mean loss as manifests carry it.</summary>
    public Micronats Loss => Micronats.FromNats(NatsPerToken);

    /// <summary>Bits per byte of the responses' text: comparable between tokenizers. Null where the examples don't tell their bytes.</summary>
    public double? BitsPerByte => ResponseBytes == 0 ? null : SummedNats / Math.Log(2) / ResponseBytes;

    /// <summary>Of all the results' examples together.</summary>
    public static EvaluationResult Of(IEnumerable<EvaluationResult> results) =>
        results.Aggregate(new EvaluationResult(0, 0, 0), (sum, r) => new(sum.SummedNats + r.SummedNats, sum.Tokens + r.Tokens, sum.ResponseBytes + r.ResponseBytes));
}
