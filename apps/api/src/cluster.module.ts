import { Controller, Get, Inject, Module, type DynamicModule } from '@nestjs/common';
import { OverviewSource, type ClusterOverview } from '@moon/cluster';

@Controller('cluster')
class ClusterController {
  constructor(@Inject(OverviewSource) private readonly source: OverviewSource) {}

  /** Shards with their owners, how much is archived, and whether commits wait for a standby. */
  @Get()
  overview(): Promise<ClusterOverview> {
    return this.source.read();
  }
}

/** `GET /cluster`: the whole deployment, as its store sees it. */
@Module({ controllers: [ClusterController] })
export class ClusterModule {
  static with(source: OverviewSource): DynamicModule {
    return { module: ClusterModule, providers: [{ provide: OverviewSource, useValue: source }] };
  }
}
