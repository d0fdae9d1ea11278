import ConsentContract
import MicrosoftAPI
import Testing

@testable import Admin
@testable import ConsentWorker

/// What is read off at the moment of the scrape.
struct StatusMetricsTests {
    private static let application = GUID(constant: "11111111-1111-4111-8111-111111111111")

    private func lines(_ change: (inout StatusSnapshot) -> Void) -> [Substring] {
        var snapshot = StatusSnapshot(
            pod: "pod-1",
            version: "1",
            time: Timestamp(milliseconds: 0),
            uptime: .seconds(1),
            reasons: [],
            applications: [
                StatusSnapshot.Application(
                    applicationID: Self.application,
                    ordering: .customer,
                    role: .owner,
                    inHand: 20,
                    lanes: 7,
                    prefetch: 200,
                    apis: PerAPI { _ in StatusSnapshot.Use(sent: [], inFlight: 3, throttled: 0, failedRequests: 0) },
                    outcomes: OutcomeCounts(),
                    total: OutcomeCounts(),
                    times: CommandTimes(),
                    rate: 0
                )
            ],
            queues: [.init(name: "consent.dead-letters", messages: 4), .init(name: "consent.events.unclaimed")],
            pods: [],
            breakers: [
                .init(host: "graph", title: "Graph", isOpen: true),
                .init(host: "identity", title: "Identity", isOpen: false),
            ],
            failures: []
        )
        change(&snapshot)
        return PrometheusText.write(snapshot.metrics).split(separator: "\n").filter { !$0.hasPrefix("#") }
    }

    @Test func openBreakersAndKnownQueuesAreTold() {
        let lines = lines { _ in }
        #expect(lines.contains(#"consent_breaker_open{host="graph"} 1"#))
        #expect(lines.contains(#"consent_breaker_open{host="identity"} 0"#))
        #expect(lines.filter { $0.hasPrefix("consent_queue_messages") }.count == 1)
        #expect(lines.contains(#"consent_queue_messages{queue="consent.dead-letters"} 4"#))
    }

    @Test func aLimitAndAPauseAreToldInSeconds() {
        let lines = lines {
            $0.applications[0].apis[.graph].limit = .init(requests: 20, window: .milliseconds(1500))
            $0.applications[0].apis[.graph].pause = .milliseconds(2500)
        }
        let labels = #"{application="\#(Self.application)",api="graph"}"#
        for line in ["limit_requests\(labels) 20", "limit_window_seconds\(labels) 1.5", "paused_seconds\(labels) 2.5"] {
            #expect(lines.contains("consent_\(line)"))
        }
        #expect(lines.filter { $0.hasPrefix("consent_limit_requests") }.count == 1)
    }

    @Test func refusedCredentialsAndPartnersAreTold() {
        let own = #"{application="\#(Self.application)"}"#
        let well = lines { _ in }
        #expect(well.contains("consent_application_misconfigured\(own) 0"))
        #expect(well.contains("consent_partners_refused\(own) 0"))
        let ill = lines {
            $0.applications[0].isMisconfigured = true
            $0.applications[0].refusedPartners = [Self.application, Self.application]
        }
        #expect(ill.contains("consent_application_misconfigured\(own) 1"))
        #expect(ill.contains("consent_partners_refused\(own) 2"))
    }

    @Test func ownershipIsToldWhereThereIsSuchAThing() {
        let own = #"{application="\#(Self.application)"}"#
        #expect(lines { _ in }.contains("consent_owned\(own) 1"))
        #expect(lines { $0.applications[0].role = .standby }.contains("consent_owned\(own) 0"))
        #expect(!lines { $0.applications[0].ordering = .none }.contains { $0.hasPrefix("consent_owned") })
    }
}
