import ConsentWorker
import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the configuration again on SIGHUP. One with faults changes nothing.
struct ReloadService: Service, CustomStringConvertible {
    let options: ConfigurationOptions
    let worker: ConsentWorkerService
    let logger: Logger

    var description: String { "reload" }

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        for await _ in signals.cancelOnGracefulShutdown() {
            do throws(ConfigurationError) {
                let configuration = try options.read()
                for warning in configuration.warnings {
                    logger.warning(
                        "the configuration works but should not stay as it is",
                        metadata: ["fault": "\(warning)"]
                    )
                }
                worker.reload(configuration)
            } catch {
                logger.error(
                    "the configuration has faults; the worker goes on as before",
                    metadata: ["error": "\(error)"]
                )
            }
        }
    }
}
