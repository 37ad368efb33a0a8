namespace FedChain.Learning.Data.Generated;

/// <summary>One question about a case and its answer, in the manner of a specialty; the conditions are there for wrong answers to choose among.</summary>
internal delegate (string Prompt, string Response) Question(Case patient, IReadOnlyList<Condition> conditions, TextRandom random);

/// <summary>What makes an institution's data its own: words, questions, manner of writing, patients and size.</summary>
/// <param name="Documents">Cases, each of which gives one record per question.</param>
internal sealed record Specialty(
    string Name, int Documents, int Youngest, int Oldest, Vocabulary Words, IReadOnlyList<Question> Questions);
