using FedChain.Learning.Training;

namespace FedChain.Tests.Learning.Training;

/// <summary>Reports on the training's own thread, at once.</summary>
internal sealed class Immediate(Action<TrainingProgress> report) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value) => report(value);
}
