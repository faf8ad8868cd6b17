// SPDX-License-Identifier: MIT

/// Vendors in China that speak OpenAI's format.
extension VendorRegistry {
  static let chinese: [Vendor] = [
    Vendor(
      slug: "deepseek", name: "DeepSeek", documentation: "https://api-docs.deepseek.com",
      defaultBaseURL: "https://api.deepseek.com/v1", keyForm: "sk-…",
      modelList: "deepseek-chat deepseek-reasoner",
      requestEdits: "max_completion_tokens>max_tokens",
      finishReasons: "insufficient_system_resource>",
      errorCodes: """
        content|~Content Exists Risk
        client|invalid_request_error
        """,
      balance: .deepSeek),
    Vendor(
      slug: "qwen", name: "Aliyun Qwen (DashScope)",
      documentation: "https://help.aliyun.com/zh/model-studio",
      defaultBaseURL: "https://dashscope.aliyuncs.com/compatible-mode/v1", keyForm: "sk-…",
      taskList: "chat completions embeddings",
      modelList: """
        qwen-max qwen-plus qwen-turbo qwen-long qwen-flash qwen3-max qwen-vl-max qwen-vl-plus \
        text-embedding-v3 text-embedding-v4
        """,
      errorCodes: """
        account|Arrearage
        key|invalid_api_key|InvalidApiKey
        model|model_not_found|ModelNotFound|access_denied
        rate|insufficient_quota|limit_requests|limit_burst_rate|Throttling*
        content|data_inspection_failed|DataInspectionFailed
        client|invalid_parameter_error|InvalidParameter
        """,
      quirks: .thinksInStreams),
    Vendor(
      slug: "qwen-native", name: "Aliyun Qwen (DashScope native)",
      documentation: "https://help.aliyun.com/zh/model-studio/qwen-api-via-dashscope",
      defaultBaseURL: "https://dashscope.aliyuncs.com", keyForm: "sk-…",
      taskList: "chat embeddings",
      modelList: """
        qwen-max qwen-plus qwen-turbo qwen-long qwen-flash qwen3-max qwen-vl-max qwen-vl-plus \
        text-embedding-v4 text-embedding-v3
        """,
      fieldList: """
        incremental_output|Streams in pieces; false where each repeats the text||true|true,false
        workspace|Workspace, where the key is not of the standard one|ws-QTggmeAxxxxx
        """,
      speaks: .dashScope),
    Vendor(
      slug: "ernie", name: "Baidu ERNIE (Qianfan v2)",
      documentation: "https://cloud.baidu.com/doc/qianfan-api",
      defaultBaseURL: "https://qianfan.baidubce.com/v2", keyForm: "bce-v3/ALTAK-…",
      taskList: "chat embeddings images rerank",
      modelList: """
        ernie-5.1 ernie-5.0 ernie-4.5-turbo-128k ernie-4.5-turbo-32k ernie-4.5-turbo-vl \
        ernie-x1.1-preview ernie-x1-turbo-32k ernie-4.0-turbo-8k ernie-4.0-8k ernie-3.5-8k \
        ernie-speed-pro-128k ernie-lite-pro-128k deepseek-v3.2 deepseek-r1 embedding-v1 tao-8k \
        bge-large-zh
        """,
      callPaths: "/rerank>/rerankers",
      finishReasons: "normal>stop",
      errorCodes: """
        key|invalid_iam_token
        model|invalid_model|no_parameter_permission
        rate|rpm_rate_limit_exceeded|tpm_rate_limit_exceeded|preemptible*
        content|prompt_unsafe|image_url_unsafe|system_unsafe|user_setting_unsafe|unsafe_request
        length|tokens_too_long|characters_too_long
        client|malformed_json|invalid_messages|invalid_argument|invalid_image_url
        """),
    Vendor(
      slug: "ernie-v1", name: "Baidu ERNIE (wenxinworkshop)",
      documentation: "https://cloud.baidu.com/doc/WENXINWORKSHOP/s/clntwmv7t",
      defaultBaseURL: "https://aip.baidubce.com", keyForm: "API_KEY|SECRET_KEY",
      modelList: """
        ERNIE-4.0-8K ERNIE-4.0-Turbo-8K ERNIE-3.5-8K ERNIE-3.5-128K ERNIE-Speed-8K \
        ERNIE-Speed-128K ERNIE-Lite-8K ERNIE-Lite-Pro-8K ERNIE-Tiny-8K ERNIE-Character-8K
        """,
      fieldList: """
        exchange_url|Address of the token call, where it is not the host's /oauth/2.0/token
        """,
      speaks: .ernie),
    Vendor(
      slug: "spark", name: "iFlytek Spark (HTTP)",
      documentation: "https://www.xfyun.cn/doc/spark/HTTP%E8%B0%83%E7%94%A8%E6%96%87%E6%A1%A3.html",
      defaultBaseURL: "https://spark-api-open.xf-yun.com/v1", keyForm: "APIPassword",
      modelList: "lite generalv3 pro-128k generalv3.5 max-32k 4.0Ultra",
      requestEdits: "max_completion_tokens>max_tokens",
      errorCodes: """
        account|10015|10016|11200|11201
        rate|10006|10007|11202|11203
        content|10013|10014|10019|10021
        length|10907
        client|10003|10004|10005|10163
        busy|10008|10110
        failed|10000|10001|10002|10009|10010|10011|10012|10017|10222
        """,
      quirks: .sparseAnswers),
    Vendor(
      slug: "doubao", name: "ByteDance Doubao (Volcengine Ark)",
      documentation: "https://www.volcengine.com/docs/82379",
      defaultBaseURL: "https://ark.cn-beijing.volces.com/api/v3", keyForm: "UUID",
      taskList: "chat responses embeddings images",
      modelList: """
        doubao-seed-2-1-pro-260915 doubao-seed-2-0-pro-260215 doubao-seed-2-0-lite-260428 \
        doubao-seed-2-0-mini-260428 doubao-seed-1-8-251228 doubao-seed-1-6-251015 \
        doubao-seed-1-6-flash-250828 doubao-1-5-pro-32k-250115 doubao-1-5-lite-32k-250115 \
        doubao-embedding-large-text-250515 doubao-seedream-4-0-250828
        """,
      errorCodes: """
        account|AccountOverdueError|QuotaExceeded|SetLimitExceeded|InferenceLimitExceeded
        key|AuthenticationError|InvalidAccountStatus
        denied|AccessDenied|OperationDenied*
        model|InvalidEndpointOrModel*|ModelNotOpen|UnsupportedModel|InvalidEndpoint.ClosedEndpoint
        rate|RateLimitExceeded*|AccountRateLimitExceeded|RequestBurstTooFast
        content|SensitiveContentDetected*|InputTextSensitiveContentDetected*
        content|OutputTextSensitiveContentDetected*
        length|OutofContextError
        client|MissingParameter*|InvalidParameter*
        busy|ServerOverloaded
        """,
      quirks: .namesThinking),
    Vendor(
      slug: "zhipu", name: "Zhipu GLM (BigModel)",
      documentation: "https://docs.bigmodel.cn",
      defaultBaseURL: "https://open.bigmodel.cn/api/paas/v4", keyForm: "id.secret",
      taskList: "chat embeddings images speech transcription rerank",
      modelList: """
        glm-5.2 glm-5.1 glm-5 glm-4.7 glm-4.7-flash glm-4.6 glm-4.5 glm-4.5-air glm-4.5-flash \
        glm-4.6v glm-4-plus glm-4-air glm-4-flash glm-4v-plus embedding-3 embedding-2 cogview-4
        """,
      fieldList: zhipuFields,
      requestEdits: "max_completion_tokens>max_tokens user>user_id",
      finishReasons: """
        sensitive>content_filter network_error> model_context_window_exceeded>length
        """,
      errorCodes: zhipuCodes),
    Vendor(
      slug: "zai", name: "Z.ai (Zhipu international)", documentation: "https://docs.z.ai",
      defaultBaseURL: "https://api.z.ai/api/paas/v4", keyForm: "id.secret",
      taskList: "chat embeddings images",
      modelList: "glm-5.2 glm-5.1 glm-5 glm-4.7 glm-4.7-flash glm-4.6 glm-4.5 glm-4.5-air glm-4.6v",
      fieldList: zhipuFields,
      requestEdits: "max_completion_tokens>max_tokens user>user_id",
      finishReasons: """
        sensitive>content_filter network_error> model_context_window_exceeded>length
        """,
      errorCodes: zhipuCodes),
    Vendor(
      slug: "hunyuan", name: "Tencent Hunyuan (OpenAI-compatible)",
      documentation: "https://cloud.tencent.com/document/product/1729",
      defaultBaseURL: "https://api.hunyuan.cloud.tencent.com/v1", keyForm: "sk-…",
      taskList: "chat embeddings",
      modelList: """
        hunyuan-turbos-latest hunyuan-t1-latest hunyuan-large hunyuan-standard \
        hunyuan-standard-256K hunyuan-lite hunyuan-a13b hunyuan-vision hunyuan-embedding
        """,
      finishReasons: "sensitive>content_filter"),
    Vendor(
      slug: "tokenhub", name: "Tencent TokenHub",
      documentation: "https://cloud.tencent.com/document/product/1729",
      defaultBaseURL: "https://tokenhub.tencentmaas.com/v1", keyForm: "sk-…",
      modelList: "hy3 hy3-preview hy4-preview",
      finishReasons: "sensitive>content_filter"),
    Vendor(
      slug: "moonshot", name: "Moonshot AI (Kimi)",
      documentation: "https://platform.moonshot.cn/docs",
      defaultBaseURL: "https://api.moonshot.cn/v1", keyForm: "sk-…",
      modelList: """
        kimi-k2-0905-preview kimi-k2-turbo-preview kimi-latest moonshot-v1-auto moonshot-v1-8k \
        moonshot-v1-32k moonshot-v1-128k
        """,
      errorCodes: """
        denied|permission_denied_error
        busy|engine_overloaded_error
        content|content_filter
        """,
      balance: .moonshot),
    Vendor(
      slug: "minimax", name: "MiniMax", documentation: "https://platform.minimaxi.com/document",
      defaultBaseURL: "https://api.minimaxi.com/v1",
      modelList: "MiniMax-M3 MiniMax-M2.7 MiniMax-M2.5 MiniMax-M2.1 MiniMax-Text-01 abab6.5s-chat",
      callPaths: "/chat/completions>/text/chatcompletion_v2",
      requestEdits: "max_completion_tokens>max_tokens",
      errorCodes: """
        account|1008|2056
        key|1004|2049
        rate|1002|1039
        content|1026|1027
        client|2013|1042
        timeout|1001
        failed|1000|1013|1024|1033
        """,
      quirks: .repeatsAnswer),
    Vendor(
      slug: "baichuan", name: "Baichuan", documentation: "https://platform.baichuan-ai.com/docs",
      defaultBaseURL: "https://api.baichuan-ai.com/v1", keyForm: "sk-…",
      taskList: "chat embeddings",
      modelList: """
        Baichuan-M3-Plus Baichuan-M3 Baichuan-M2 Baichuan4-Turbo Baichuan4-Air Baichuan4 \
        Baichuan3-Turbo Baichuan3-Turbo-128k Baichuan-Text-Embedding
        """,
      requestEdits: "max_completion_tokens>max_tokens",
      errorCodes: "content|content_filter"),
    Vendor(
      slug: "360", name: "360 AI", documentation: "https://ai.360.com/platform/docs",
      defaultBaseURL: "https://ai.360.cn/v1", taskList: "chat embeddings",
      modelList: "360gpt2-pro 360gpt-pro 360gpt-turbo 360gpt2-o1 360zhinao2-o1 embedding_s1_v1",
      requestEdits: "max_completion_tokens>max_tokens",
      errorCodes: """
        account|1003
        key|1002
        rate|1004|1005
        client|1001
        """),
    Vendor(
      slug: "01-ai", name: "01.AI (Lingyi Wanwu)",
      documentation: "https://platform.lingyiwanwu.com/docs",
      defaultBaseURL: "https://api.lingyiwanwu.com/v1",
      modelList: "yi-lightning yi-large yi-large-turbo yi-medium yi-vision yi-large-fc",
      requestEdits: "max_completion_tokens>max_tokens"),
    Vendor(
      slug: "stepfun", name: "StepFun", documentation: "https://platform.stepfun.com/docs",
      defaultBaseURL: "https://api.stepfun.com/v1", taskList: "chat speech",
      modelList: "step-3.7-flash step-3.5-flash step-1o-turbo-vision"),
    Vendor(
      slug: "siliconflow", name: "SiliconFlow", documentation: "https://docs.siliconflow.cn",
      defaultBaseURL: "https://api.siliconflow.cn/v1", keyForm: "sk-…",
      taskList: "chat completions embeddings images speech transcription rerank",
      modelList: """
        deepseek-ai/DeepSeek-V4-Flash deepseek-ai/DeepSeek-V3.2 zai-org/GLM-5.2 \
        moonshotai/Kimi-K2.7-Code BAAI/bge-m3 BAAI/bge-reranker-v2-m3 Qwen/Qwen3-Embedding-8B
        """,
      requestEdits: "max_completion_tokens>max_tokens",
      errorCodes: """
        account|30001
        model|20012
        busy|50505
        """),
    Vendor(
      slug: "modelscope", name: "ModelScope",
      documentation: "https://modelscope.cn/docs/model-service/API-Inference/intro",
      defaultBaseURL: "https://api-inference.modelscope.cn/v1"),
    Vendor(
      slug: "sensenova", name: "SenseNova", documentation: "https://platform.sensenova.cn/doc",
      defaultBaseURL: "https://api.sensenova.cn/compatible-mode/v2"),
    Vendor(
      slug: "mimo", name: "Xiaomi MiMo", documentation: "https://platform.xiaomimimo.com",
      defaultBaseURL: "https://api.xiaomimimo.com/v1"),
  ]

  /// Zhipu takes the key itself, or a token that is signed with it and ends with the hour.
  private static var zhipuFields: StaticString {
    "signing|Send the key itself, or a JWT signed with it||plain|plain,jwt"
  }

  /// Of both platforms.
  private static var zhipuCodes: StaticString {
    """
    account|1113|1304|1308|1310
    key|1000|1001|1002|1003|1004|1110|1111|1112|1121
    denied|1309|1311|1313
    model|1211|1212|1220|1221|1222
    rate|1302|1303|1305|1312
    content|1300|1301
    length|1261
    client|1210|1213|1214|1215
    failed|500|1120|1230|1234
    """
  }
}
