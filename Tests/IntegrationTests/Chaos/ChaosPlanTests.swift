import Testing

struct ChaosPlanTests {
    private static let plans = [ChaosPlan.Weather.mild, .rough, .roughOnCluster].map {
        ChaosPlan(seed: 7, seconds: 600, weather: $0)
    }

    @Test(arguments: plans) func theSameSeedMakesTheSamePlan(plan: ChaosPlan) {
        let again = ChaosPlan(seed: plan.seed, seconds: plan.seconds, weather: plan.weather)
        #expect(again == plan && again.description == plan.description)
        #expect(ChaosPlan(seed: plan.seed + 1, seconds: plan.seconds, weather: plan.weather).steps != plan.steps)
    }

    @Test(arguments: plans) func everyKindComesBeforeOneComesAgain(plan: ChaosPlan) {
        for (kinds, steps) in zip(plan.weather.tracks, plan.tracks) {
            #expect(steps.count > kinds.count)
            #expect(Set(steps.prefix(kinds.count).map(\.disturbance.kind)) == Set(kinds))
        }
    }

    @Test(arguments: plans) func ofOneTrackOneThingIsWrongAtATime(plan: ChaosPlan) {
        for steps in plan.tracks {
            #expect(steps.allSatisfy { $0.at >= plan.weather.calm && $0.at + $0.disturbance.seconds < plan.seconds })
            #expect(zip(steps, steps.dropFirst()).allSatisfy { $0.at + $0.disturbance.seconds < $1.at })
        }
    }

    @Test(arguments: plans) func theFirstWorkerOutlivesTheRun(plan: ChaosPlan) {
        let ended = plan.steps.map(\.disturbance).filter { [.workerKilled, .workerStopped].contains($0.kind) }
        #expect(!ended.isEmpty && ended.allSatisfy { (1..<plan.weather.workers).contains($0.victim) })
    }

    /// What fits into the short form is all that it is made of.
    @Test func theShortFormHasAtLeastHalfOfItsKinds() {
        let plan = ChaosPlan(seed: 1, seconds: 18, weather: .mild)
        let met = Set(plan.steps.map(\.disturbance.kind))
        #expect(met.count * 2 > plan.weather.tracks.joined().count, "\(plan)")
    }
}
