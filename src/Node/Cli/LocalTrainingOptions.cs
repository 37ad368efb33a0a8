using System.CommandLine;
using FedChain.Node.Training;

namespace FedChain.Node.Cli;

/// <summary>How an institution trains in a round: what a home says, unless the command line does. Named as in <c>home.json</c>.</summary>
internal sealed class LocalTrainingOptions
{
    private readonly Option<int?> _steps = Number<int?>("--steps", "Training: optimiser steps in a round, or the policy's bound if that is lower");
    private readonly Option<int?> _batchSize = Number<int?>("--batch-size", "Training: records per batch");
    private readonly Option<int?> _accumulation = Number<int?>("--accumulation-steps", "Training: batches whose gradients make one step; a larger batch in the memory of a small one");
    private readonly Option<double?> _learningRate = Number<double?>("--learning-rate", "Training: peak learning rate of AdamW; init notes 2e-4 where --model names a checkpoint");
    private readonly Option<double?> _personalShare = Number<double?>("--personal-share", "Training: share of the steps, from 0 to below 1, that come after the federation's rounds, for a personal adapter; the learning rate falls over them too");
    private readonly Option<bool?> _ownAdapter = new("--own-adapter")
    {
        Description = "Training: train an adapter of the institution's own beside the shared one, by the same steps; it is never sent. 'false' switches it off.",
        HelpName = "true|false",
    };

    private readonly Option<int?> _checkpointSteps = Number<int?>("--checkpoint-steps", "Training: steps after which a checkpoint is written; a kill costs at most so many");
    private readonly Option<int?> _warmUp = Number<int?>("--warm-up-steps", "Training: steps over which the learning rate rises to its peak");
    private readonly Option<double?> _dropout = Number<double?>("--dropout", "Training: share of the adapter's inputs that is left out at random, from 0 to below 1");
    private readonly Option<double?> _maxNorm = Number<double?>("--max-gradient-norm", "Training: longer gradients are scaled down to it; 0 leaves them");
    private readonly Option<bool?> _checkpointing = new("--gradient-checkpointing")
    {
        Description = "Training: compute each layer again on the way back instead of keeping it; much less memory for about a third more time. 'false' switches it off.",
        HelpName = "true|false",
    };

    public LocalTrainingOptions(Command command)
    {
        foreach (var option in new Option[] { _steps, _batchSize, _accumulation, _learningRate, _personalShare, _ownAdapter, _warmUp, _dropout, _maxNorm, _checkpointing, _checkpointSteps })
        {
            command.Add(option);
        }
    }

    public bool NamesSteps(ParseResult result) => result.GetValue(_steps) is not null;

    /// <summary>The settings with what was given on the command line in place of the home's.</summary>
    /// <exception cref="UserErrorException">A value out of range.</exception>
    public LocalTraining Apply(ParseResult result, LocalTraining training)
    {
        training = training with
        {
            Steps = result.GetValue(_steps) ?? training.Steps,
            BatchSize = result.GetValue(_batchSize) ?? training.BatchSize,
            AccumulationSteps = result.GetValue(_accumulation) ?? training.AccumulationSteps,
            LearningRate = result.GetValue(_learningRate) ?? training.LearningRate,
            PersonalShare = result.GetValue(_personalShare) ?? training.PersonalShare,
            OwnAdapter = result.GetValue(_ownAdapter) ?? training.OwnAdapter,
            WarmUpSteps = result.GetValue(_warmUp) ?? training.WarmUpSteps,
            Dropout = result.GetValue(_dropout) ?? training.Dropout,
            MaxGradientNorm = result.GetValue(_maxNorm) ?? training.MaxGradientNorm,
            GradientCheckpointing = result.GetValue(_checkpointing) ?? training.GradientCheckpointing,
            CheckpointSteps = result.GetValue(_checkpointSteps) ?? training.CheckpointSteps,
        };
        training.Check();
        return training;
    }

    private static Option<T> Number<T>(string name, string description) => new(name) { Description = $"{description}.", HelpName = "NUMBER" };
}
