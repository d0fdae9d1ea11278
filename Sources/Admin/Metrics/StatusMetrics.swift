import ConsentContract
import ConsentWorker
import MicrosoftAPI

extension StatusSnapshot {
    /// What is read off at the moment of the scrape, not counted along the way.
    var metrics: [MetricSample] {
        var samples = [
            MetricSample("consent_build_info", [("version", version)], 1),
            MetricSample("consent_ready", isReady ? 1 : 0),
            MetricSample("consent_pods", Double(pods.count)),
        ]
        for queue in queues {
            guard let messages = queue.messages else { continue }
            samples.append(MetricSample("consent_queue_messages", [("queue", queue.name)], Double(messages)))
        }
        for breaker in breakers {
            samples.append(MetricSample("consent_breaker_open", [("host", breaker.host)], breaker.isOpen ? 1 : 0))
        }
        return samples + applications.flatMap(\.metrics)
    }
}

extension StatusSnapshot.Application {
    fileprivate var metrics: [MetricSample] {
        let own = [("application", applicationID.description)]
        var samples = [
            MetricSample("consent_commands_in_hand", own, Double(inHand)),
            MetricSample("consent_commands_in_hand_max", own, Double(prefetch)),
            MetricSample("consent_lanes", own, Double(lanes)),
            MetricSample("consent_application_paused", own, isPaused ? 1 : 0),
            MetricSample("consent_application_misconfigured", own, isMisconfigured ? 1 : 0),
            MetricSample("consent_partners_refused", own, Double(refusedPartners.count)),
        ]
        // Where all pods share, nobody owns.
        if ordering == .customer { samples.append(MetricSample("consent_owned", own, role == .owner ? 1 : 0)) }
        for api in API.allCases {
            let labels = own + [("api", api.rawValue)]
            let use = apis[api]
            samples.append(MetricSample("consent_requests_in_flight", labels, Double(use.inFlight)))
            samples.append(MetricSample("consent_paused_seconds", labels, use.pause.map { $0 / .seconds(1) } ?? 0))
            guard let limit = use.limit else { continue }
            samples.append(MetricSample("consent_limit_requests", labels, Double(limit.requests)))
            samples.append(MetricSample("consent_limit_window_seconds", labels, limit.window / .seconds(1)))
        }
        return samples
    }
}
