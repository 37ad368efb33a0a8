using FedChain.Learning.Examples;
using FedChain.Learning.Tokenization;

namespace FedChain.Learning.Data;

/// <summary>An institution's records as token sequences that fit the model's context; CutRecords counts those that were longer, over all three splits.</summary>
public sealed record PreparedData(
    string Name, IReadOnlyList<TokenizedExample> Train, IReadOnlyList<TokenizedExample> Val, IReadOnlyList<TokenizedExample> Test, int CutRecords)
{
    public int Records => Train.Count + Val.Count + Test.Count;

    /// <summary>Tokenizes everything; <paramref name="mostTest"/> and <paramref name="mostVal"/> bound what an evaluation costs (<see cref="SplitByHash.AtMost"/>).</summary>
    public static PreparedData From(InstitutionData data, ITokenizer tokenizer, int context, int mostVal = int.MaxValue, int mostTest = int.MaxValue)
    {
        var examples = new ExampleBuilder(tokenizer, context);
        var (train, cutTrain) = examples.BuildAll(data.Train);
        var (val, cutVal) = examples.BuildAll(data.Val.AtMost(mostVal));
        var (test, cutTest) = examples.BuildAll(data.Test.AtMost(mostTest));
        return new PreparedData(data.Name, train, val, test, cutTrain + cutVal + cutTest);
    }
}
