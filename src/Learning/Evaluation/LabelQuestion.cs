using FedChain.Learning.Examples;

namespace FedChain.Learning.Evaluation;

/// <summary>A prompt with several answers, one of them right: a diagnosis among others, or A to D of a multiple choice.</summary>
/// <param name="Answers">The prompt with each answer as its response; at least two.</param>
/// <param name="Correct">Index of the right one.</param>
public sealed record LabelQuestion(IReadOnlyList<TokenizedExample> Answers, int Correct);

/// <summary>How often the right answer was the likeliest; of equals the first counts.</summary>
/// <param name="Questions">Questions asked.</param>
/// <param name="Correct">Answered right by the summed log-likelihood of each answer's tokens.</param>
/// <param name="CorrectPerByte">Answered right by the same divided by the answer's bytes, which doesn't favour short answers.</param>
public sealed record LabelAccuracy(int Questions, int Correct, int CorrectPerByte)
{
    /// <summary>From 0 to 1.</summary>
    public double Share => (double)Correct / Questions;

    /// <summary>From 0 to 1.</summary>
    public double SharePerByte => (double)CorrectPerByte / Questions;
}
