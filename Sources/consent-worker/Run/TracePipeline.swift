import ConsentWorker
import FoundationEssentials
import HTTP
import Logging
import OTLP
import Secrets
import Tracing

/// What makes spans and what sends them, if the configuration says where to.
struct TracePipeline {
    let tracer: OTLPTracer
    let exporter: SpanExporter

    init?(_ configuration: Configuration, _ client: HTTPClient, _ logger: Logger) {
        guard let tracing = configuration.tracing else { return nil }
        let version = ConsentWorkerCommand.version
        let options = ExportOptions(
            endpoint: tracing.endpoint,
            headers: tracing.headers.map { HTTPHeader($0.name, $0.value.reveal()) },
            resource: [
                "service.name": "consent-worker", "service.version": .string(version),
                "service.instance.id": .string(UUID().uuidString.lowercased()),
                "host.name": .string(ProcessInfo.processInfo.hostName), "telemetry.sdk.language": "swift",
            ],
            scope: (name: "consent-worker", version: version)
        )
        let queue = SpanQueue()
        tracer = OTLPTracer(queue, sampleRatio: tracing.sampleRatio)
        exporter = SpanExporter(queue, options, logger: logger) { (request) async throws(HTTPError) in
            try await client.send(request)
        }
    }
}
