using ProxyGateway.Configuration.Catalogue;

namespace ProxyGateway.Configuration.Commands;

/// <summary>The verb <c>schema</c>: the JSON Schema of the configuration, for editors and for CI.</summary>
internal static class SchemaCommand
{
    public static int Run(TextWriter output)
    {
        output.Write(SchemaWriter.Write(OptionCatalogue.Root));
        return 0;
    }
}
