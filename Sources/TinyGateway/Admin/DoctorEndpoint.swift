// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store

/// `tinygateway doctor` by the management API.
enum DoctorEndpoint {
  static let all: [Endpoint] = [
    Endpoint(method: .get, path: "/api/v1/doctor", access: .admin, run: .act(examine))
  ]

  /// What the helper thread leaves for the loop.
  private final class Box {
    var facts: DoctorFacts
    init(_ facts: DoctorFacts) { self.facts = facts }
  }

  @Sendable private static func examine(_ request: AdminRequest) throws(AdminError) {
    let gateway = request.gateway
    guard !gateway.admin.isExamining else {
      throw AdminError(
        409, "doctor_running", "The doctor is looking already: wait for its end.")
    }
    gateway.admin.isExamining = true
    let box = Box(facts(of: gateway))
    gateway.storage.perform(
      inTransaction: false,
      { (database) throws(StoreError) in try DatabaseCondition.journalMode(of: database) },
      completion: { result in
        switch result {
        case .success(let mode): box.facts.journalMode = mode
        case .failure(let error): box.facts.databaseProblem = error.sentence
        }
        look(request, box)
      })
  }

  /// What the loop knows.
  private static func facts(of gateway: Gateway) -> DoctorFacts {
    var facts = DoctorSurvey.facts(of: gateway.configuration)
    facts.hasDatabase = true
    facts.uptimeSeconds = Instant.now.milliseconds(since: gateway.startedInstant) / 1000
    facts.upstreamAheadSeconds = gateway.admin.clockHint.aheadSeconds
    facts.hasFirstPassword = gateway.hasFirstPassword
    facts.upstreams = DoctorReach.upstreams(gateway.channels.all.map { $0.record })
    return facts
  }

  private static func look(_ request: AdminRequest, _ box: Box) {
    let gateway = request.gateway
    let (caFile, policy) = (
      gateway.configuration.caFile, gateway.configuration.upstreamPrivate
    )
    let job = Job(
      work: {
        box.facts.writtenByteCount = DoctorSurvey.writtenByteCount()
        DoctorSurvey.complete(&box.facts, caFile: caFile, policy)
      },
      completion: {
        gateway.admin.isExamining = false
        let doctor = Doctor(box.facts)
        request.reply.succeed { json in doctor.write(to: &json) }
      })
    let worker =
      gateway.admin.doctorWorker ?? Worker(name: "doctor", mailbox: gateway.loop.mailbox)
    gateway.admin.doctorWorker = worker
    do throws(SystemError) {
      try worker.submit(job)
    } catch {
      gateway.admin.isExamining = false
      request.reply.fail(.busy)
    }
  }
}
