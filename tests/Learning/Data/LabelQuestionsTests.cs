using FedChain.Learning.Data;
using FedChain.Tests.Learning.Tokenization;

namespace FedChain.Tests.Learning.Data;

public sealed class LabelQuestionsTests
{
    private static readonly ExampleBuilder Builder = new(SentencePieceTokenizerTests.Tokenizer(), context: 64);

    [Fact]
    public void Records_that_begin_with_an_answer_are_asked_about_the_others_are_not()
    {
        var questions = LabelQuestions.From(
            [Record("yes. It is."), Record("no"), Record("nobody knows"), Record("no one"), Record("Yes"), Record("maybe not")], ["yes", "no", "no one", "maybe"], Builder);

        Assert.Equal([0, 1, 2, 3], questions.Select(q => q.Correct)); // "no one" is the longer of two; "nobody" is another word; "Yes" isn't "yes"
        Assert.All(questions, q => Assert.Equal(4, q.Answers.Count));
    }

    [Fact]
    public void An_answer_may_end_in_a_sign_and_the_sequence_does_not_end_with_it()
    {
        var question = Assert.Single(LabelQuestions.From([Record("B)312. Because.")], ["A)", "B)"], Builder));

        Assert.Equal(1, question.Correct);
        var (whole, _) = Builder.Build("Is it?", "B)");
        Assert.Equal(whole.Tokens[..^1], question.Answers[1].Tokens); // without the end of text
        Assert.Equal(2, question.Answers[1].ResponseBytes);
    }

    [Theory]
    [InlineData("yes")]
    [InlineData("yes", "yes")]
    [InlineData("yes", " ")]
    public void Fewer_than_two_different_answers_are_refused(params string[] answers) =>
        Assert.Throws<ArgumentException>(() => LabelQuestions.From([Record("yes")], answers, Builder));

    private static DataRecord Record(string response) => new("1", null, "Is it?", response, Split.Test);
}
