namespace FedChain.Learning.Chat.Templates;

/// <summary>A template that isn't well-formed, uses what isn't computed here, or itself refuses its input.</summary>
internal sealed class TemplateException(string message) : Exception(message);
