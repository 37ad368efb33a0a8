namespace FedChain.Learning.Pretraining;

/// <summary>What a pre-training is at.</summary>
public enum PretrainingStage
{
    Vocabulary,
    Encoding,
    Training,
    Evaluation,
}

/// <summary>A sign of life; the numbers after the stage are zero outside of training.</summary>
/// <param name="Stage">What is going on.</param>
/// <param name="Step">Steps done, from 1.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Loss">The step's mean loss in nats per token.</param>
/// <param name="TokensPerSecond">Since training began.</param>
public sealed record PretrainingProgress(PretrainingStage Stage, int Step = 0, int Steps = 0, double Loss = 0, double TokensPerSecond = 0);

/// <summary>What came out.</summary>
/// <param name="Folder">The model, in the Hugging Face layout.</param>
/// <param name="Weights">Number of weights.</param>
/// <param name="TrainTokens">Tokens of the text, before repetition.</param>
/// <param name="FirstLoss">The first step's mean loss in nats per token.</param>
/// <param name="ValLoss">Mean loss of the saved model on the validation records, in nats per token; null where the text has none.</param>
/// <param name="Elapsed">Training alone.</param>
public sealed record PretrainingResult(string Folder, long Weights, long TrainTokens, double FirstLoss, double? ValLoss, TimeSpan Elapsed);
