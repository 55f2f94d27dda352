import { byPlace } from './masking/corpus.ts';
import { attackMasks } from './masking.suite.ts';

attackMasks(byPlace);
