using FedChain.Learning.Data;
using FedChain.Learning.Data.Generated;

namespace FedChain.Tests.Learning.Data.Generated;

public sealed class GeneralCorpusTests
{
    [Fact]
    public void The_same_seed_gives_the_same_text() =>
        Assert.Equal(GeneralCorpus.Generate(3, 500), GeneralCorpus.Generate(3, 500));

    [Fact]
    public void One_record_in_fifty_is_for_validation() =>
        Assert.Equal(10, GeneralCorpus.Generate(3, 500).Count(record => record.Split == Split.Val));
}
