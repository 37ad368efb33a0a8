using FedChain.Learning.Evaluation;

namespace FedChain.Learning.Data;

/// <summary>Questions whose answer is one of a few, made from records whose response begins with it: <c>yes. The results show …</c>, <c>B) 312. …</c></summary>
public static class LabelQuestions
{
    /// <summary>Asks about those records whose response begins with one of the answers and doesn't go on with a letter or digit; of several, the longest.</summary>
    /// <param name="records">Records, also ones of another kind: they are left out.</param>
    /// <param name="answers">At least two, different, none empty.</param>
    /// <param name="builder">Makes the model's sequences.</param>
    /// <exception cref="ArgumentException">Fewer than two answers, an empty one, or one twice.</exception>
    public static IReadOnlyList<LabelQuestion> From(IEnumerable<DataRecord> records, IReadOnlyList<string> answers, ExampleBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(records);
        if (answers.Count < 2 || answers.Any(string.IsNullOrWhiteSpace) || answers.Distinct(StringComparer.Ordinal).Count() < answers.Count)
        {
            throw new ArgumentException($"Expected at least two different answers, none empty; got {string.Join(", ", answers.Select(a => $"'{a}'"))}.", nameof(answers));
        }

        return [.. from record in records
                   let right = IndexOf(record.Response, answers)
                   where right >= 0
                   select new LabelQuestion([.. answers.Select(answer => builder.BuildBeginning(record.Prompt, answer))], right)];
    }

    private static int IndexOf(string response, IReadOnlyList<string> answers)
    {
        var found = -1;
        for (var i = 0; i < answers.Count; i++)
        {
            var answer = answers[i];
            if (response.StartsWith(answer, StringComparison.Ordinal)
                && (response.Length == answer.Length || !char.IsLetterOrDigit(response[answer.Length]) || !char.IsLetterOrDigit(answer[^1]))
                && (found < 0 || answer.Length > answers[found].Length))
            {
                found = i;
            }
        }

        return found;
    }
}
