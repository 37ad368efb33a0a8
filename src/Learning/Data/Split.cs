namespace FedChain.Learning.Data;

/// <summary>What a record is for. The names in data files are <c>train</c>, <c>val</c> and <c>test</c>.</summary>
public enum Split
{
    /// <summary>Trained on.</summary>
    Train,

    /// <summary>Decides nothing but the loss that an update reports about itself.</summary>
    Val,

    /// <summary>Never seen in training; what results are reported on.</summary>
    Test,
}
